import { promisify } from 'node:util'
import { constants, gunzip } from 'node:zlib'
import type { ApiAnswer, ApiTransport } from '#kubernetes/transport.ts'
import type { Clock } from '#system/ports.ts'
import { Malformed, type Missing, type Refusal, retryAfterMs } from './failures.ts'
import { statusRefusal } from './frames.ts'
import type { WatchLimits } from './limits.ts'
import { Silence } from './silence.ts'

// One request with its answer, under its time limits.

const unzipped = promisify(gunzip)
const REFUSAL_BYTES = 64 << 10
const LIST_BYTES = 512 << 20

export interface AttemptParts {
  readonly transport: Pick<ApiTransport, 'get'>
  readonly clock: Clock
  readonly limits: WatchLimits
  /** Called for each piece of an answer. */
  readonly heard: () => void
}

/** What must come, and how soon. */
export interface Patience {
  readonly missing: Missing
  readonly ms: number
}

/** Ends when the outer signal aborts, and when nothing is heard for too long. */
export class Attempt {
  readonly #parts: AttemptParts
  readonly #outer: AbortSignal
  readonly #controller = new AbortController()
  readonly #silence: Silence
  readonly #stop = () => this.#controller.abort(this.#outer.reason)

  constructor(parts: AttemptParts, outer: AbortSignal) {
    this.#parts = parts
    this.#outer = outer
    this.#silence = new Silence(parts.clock, parts.limits.headersMs, error => this.#controller.abort(error))
    outer.addEventListener('abort', this.#stop, { once: true })
    if (outer.aborted) this.#stop()
  }

  /** The answer, if it is 200; anything else is a Refusal. */
  async ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<ApiAnswer> {
    const { transport, limits } = this.#parts
    this.#silence.expect('no answer', limits.headersMs)
    const answer = await transport.get({ path, headers, signal: this.#controller.signal })
    if (answer.status !== 200) throw await this.#refusal(answer)
    this.#silence.heard()
    this.#parts.heard()
    return answer
  }

  /** The pieces of a body, each within the limit that holds at the time. */
  async *pieces({ body }: ApiAnswer, patience: () => Patience): AsyncGenerator<Buffer> {
    const pieces = body[Symbol.asyncIterator]()
    try {
      for (;;) {
        const { missing, ms } = patience()
        this.#silence.expect(missing, ms)
        const next: IteratorResult<Buffer> = await pieces.next()
        this.#silence.heard()
        if (next.done) return
        this.#parts.heard()
        yield next.value
      }
    } finally {
      await pieces.return?.()
    }
  }

  /** A whole list as text, unpacked. */
  async text(answer: ApiAnswer): Promise<string> {
    const pieces: Buffer[] = []
    let bytes = 0
    const patience = { missing: 'nothing more of a list', ms: this.#parts.limits.listIdleMs } as const
    for await (const piece of this.pieces(answer, () => patience)) {
      pieces.push(piece)
      bytes += piece.length
      if (bytes > LIST_BYTES) throw new Malformed(`a list of more than ${LIST_BYTES} bytes`)
    }
    const body = Buffer.concat(pieces)
    if (answer.headers['content-encoding'] !== 'gzip') return body.toString('utf8')
    const whole = await unzipped(body, { maxOutputLength: LIST_BYTES }).catch((error: Error) => {
      throw new Malformed(`a list that cannot be unpacked: ${error.message}`)
    })
    return whole.toString('utf8')
  }

  /** Resolves when the request is over and nothing waits for it any more. */
  async close(): Promise<void> {
    this.#outer.removeEventListener('abort', this.#stop)
    this.#controller.abort(new Error('the attempt is over'))
    await this.#silence.end()
  }

  async #refusal(answer: ApiAnswer): Promise<Refusal> {
    const { status, headers, body } = answer
    const askedMs = retryAfterMs(headers['retry-after'], this.#parts.clock.now())
    this.#silence.expect('no end of a refusal', this.#parts.limits.headersMs)
    const text = await beginning(body)
      .then(bytes => (headers['content-encoding'] === 'gzip' ? unzippedBeginning(bytes) : bytes))
      .then(String, () => '')
    return statusRefusal(statusIn(text), { code: status, retryAfterMs: askedMs })
  }
}

async function beginning(body: ApiAnswer['body']): Promise<Buffer> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of body) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes > REFUSAL_BYTES) break
  }
  return Buffer.concat(pieces)
}

/** Of a page that a load balancer has packed, because the list would have been. */
function unzippedBeginning(bytes: Buffer): Promise<Buffer> {
  return unzipped(bytes, { maxOutputLength: REFUSAL_BYTES, finishFlush: constants.Z_SYNC_FLUSH })
}

/** An API server gives the reason in a Status; a load balancer before it in any form. */
function statusIn(text: string): unknown {
  try {
    const status: unknown = JSON.parse(text)
    if ((status as { kind?: unknown } | null)?.kind === 'Status') return status
  } catch {
    // Not JSON: the text itself is the message.
  }
  return { message: text.trim().replace(/\s+/g, ' ').slice(0, 200) }
}
