import type { Clock } from '#system/ports.ts'
import { isObject } from '../decode/fields.ts'
import type { ApiAnswer, ApiTransport } from '../transport.ts'

// One request → the whole answer, in time.

export interface TimedRequests {
  readonly transport: Pick<ApiTransport, 'get' | 'post' | 'patch'>
  readonly clock: Clock
  /** Until the whole answer is here. */
  readonly withinMs?: number
}

export interface WholeAnswer {
  readonly status: number
  /** Undefined where it is not JSON. */
  readonly json: unknown
}

const WITHIN_MS = 10_000

/** Rejects where none came: whether a write has worked is not known then. */
export async function timedAnswer(
  { clock, withinMs = WITHIN_MS }: TimedRequests,
  ask: (signal: AbortSignal) => Promise<ApiAnswer>,
): Promise<WholeAnswer> {
  const [over, done] = [new AbortController(), new AbortController()]
  void clock.sleep(withinMs, done.signal).then(() => over.abort(new Error(`no answer for ${withinMs / 1000} s`)))
  try {
    const { status, body } = await ask(over.signal)
    return { status, json: parsed(await body.text()) }
  } finally {
    done.abort()
  }
}

/** `what`: `a read of Node node-1`. */
export function unexpected({ status, json }: WholeAnswer, what: string): Error {
  const why = isObject(json) && 'message' in json ? `: ${json.message}` : ''
  return new Error(`the API server answered ${status} to ${what}${why}`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
