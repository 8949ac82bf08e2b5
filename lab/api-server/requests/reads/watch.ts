import type { ServerResponse } from 'node:http'
import type { FaultAction, FaultPlan } from '#lab/api-server/fault-plan.ts'
import type { ApiStore } from '#lab/api-server/store.ts'
import { Refused, status } from '../answers.ts'
import { Cursor, type Line, lineText, type WatchRequest } from './cursor.ts'

// The events of a cursor → an open HTTP response, as long as the client, its timeout and the injected faults allow.

export interface WatchParts {
  readonly store: ApiStore
  readonly faults: FaultPlan
  /** How often a quiet watch gets a bookmark; 0: only when the test asks for one. */
  readonly bookmarkMs: number
  /** RST on the connection of this response. */
  reset(response: ServerResponse): void
}

type StreamFault = Extract<FaultAction, { do: 'close' | 'reset' | 'truncate' | 'stall' | 'error-event' }>
const STREAM_FAULTS = ['close', 'reset', 'truncate', 'stall', 'error-event'] as const

/** Real servers send a long watch a last bookmark shortly before they end it, and short ones none at all. */
const LAST_BOOKMARK_MS = 2_000
const LONG_WATCH_SECONDS = 20
const DEFAULT_TIMEOUT_SECONDS = 1_800
const CHUNK_CHARACTERS = 64 * 1024
const NO_PROGRESS = 'required storage feature RequestWatchProgress is disabled'
const NO_WATCH_LIST =
  'sendInitialEvents: Forbidden: it is forbidden for watch unless the WatchList feature gate is enabled'

export class Watch {
  readonly #asked: WatchRequest
  readonly #parts: WatchParts
  readonly #response: ServerResponse
  readonly #cursor: Cursor
  readonly #stops: (() => void)[] = []
  #text = ''
  #state: 'flowing' | 'full' | 'stuck' | 'ended' = 'flowing'

  /** Refuses what the real server refuses before it starts to stream. */
  constructor(asked: WatchRequest, parts: WatchParts, response: ServerResponse) {
    this.#asked = asked
    this.#parts = parts
    this.#response = response
    this.#cursor = new Cursor(asked, parts.store)
  }

  start(): void {
    const refusal = this.#refusal()
    if (refusal === 'status-400') throw new Refused(400, NO_WATCH_LIST)
    if (refusal === 'status-422') throw new Refused(422, NO_WATCH_LIST)
    this.#response.on('drain', this.#resume)
    this.#response.on('close', () => this.#leave())
    this.#cursor.begin(refusal === 'never-ends' ? 'never' : 'pending')
    const { expired } = this.#cursor
    if (refusal === 'error-event') this.#fail(500, NO_PROGRESS)
    else if (expired !== undefined) this.#fail(410, expired)
    else this.#follow()
  }

  /** Sends the resourceVersion the client is at, if it asked for bookmarks and has got everything before. */
  readonly bookmark = (): void => {
    this.#pump()
    const { bookmarks, early, settled } = this.#cursor
    if (!bookmarks || early || !settled || this.#state !== 'flowing') return
    const withheld = this.#parts.faults.withheld(this.#asked.scope)
    if (withheld.has('bookmarks')) return
    this.#write(this.#textOf(this.#cursor.mark()))
    this.#flush()
  }

  /** Ends as at the deadline. */
  readonly end = (): void => {
    if (this.#state === 'ended') return
    this.#writeHead()
    this.#flush()
    this.#state = 'ended'
    this.#response.end()
  }

  /** An etcd that is too old makes even a plain watch fail where the server would choose its start and send bookmarks. */
  #refusal(): Extract<FaultAction, { do: 'refuse-watch-list' }>['how'] | undefined {
    const { watchList, bookmarks, fromAnywhere } = this.#cursor
    if (!watchList && !(bookmarks && fromAnywhere)) return undefined
    const fits = ({ how }: { how: string }) => watchList || how === 'error-event'
    return this.#parts.faults.take(this.#asked.scope, ['refuse-watch-list'], fits)?.how
  }

  #follow(): void {
    const { store, faults, bookmarkMs } = this.#parts
    this.#stops.push(store.subscribe(this.#pump), faults.subscribe(this.#pump))
    const seconds = Number(this.#asked.query.get('timeoutSeconds')) || DEFAULT_TIMEOUT_SECONDS
    this.#after(seconds * 1000, this.#expire)
    if (seconds > LONG_WATCH_SECONDS) this.#after(seconds * 1000 - LAST_BOOKMARK_MS, this.bookmark)
    if (bookmarkMs > 0) {
      const ticks = setInterval(this.bookmark, bookmarkMs).unref()
      this.#stops.push(() => clearInterval(ticks))
    }
    this.#pump()
  }

  #after(ms: number, then: () => void): void {
    const timer = setTimeout(then, ms).unref()
    this.#stops.push(() => clearTimeout(timer))
  }

  #leave(): void {
    this.#state = 'ended'
    for (const stop of this.#stops) stop()
  }

  /** A stream that a fault made silent stays silent: its deadline is nothing the client may count on. */
  readonly #expire = (): void => {
    if (this.#state !== 'stuck') this.end()
  }

  readonly #resume = (): void => {
    if (this.#state === 'full') this.#state = 'flowing'
    this.#pump()
  }

  /** Writes all there is to say, as long as the client takes it. */
  readonly #pump = (): void => {
    if (this.#state !== 'flowing') return
    this.#writeHead()
    while (!this.#cursor.early && this.#state === 'flowing' && this.#step() === 'more');
    this.#flush()
  }

  #step(): 'more' | 'done' {
    const { scope } = this.#asked
    const { faults } = this.#parts
    const fault = faults.take(scope, STREAM_FAULTS, it => it.do !== 'stall' || it.at !== 'headers')
    if (fault !== undefined) {
      this.#apply(fault)
      return 'done'
    }
    const line = this.#cursor.next(faults.withheld(scope))
    if (line !== undefined) {
      this.#send(line)
      return 'more'
    }
    // Fell behind further than is remembered: real servers end such a watch, and the next one gets 410.
    if (this.#cursor.expired !== undefined) this.end()
    return 'done'
  }

  #send(line: Line): void {
    if (line.type === 'BOOKMARK') return void this.#write(this.#textOf(line))
    const { faults } = this.#parts
    const fault = faults.take(this.#asked.scope, ['garble', 'mistype', 'drop'])
    const text = this.#textOf(line)
    if (fault === undefined) this.#write(text)
    else if (fault.do === 'garble') this.#write(`${text.slice(0, text.length / 2)}\n`)
    else if (fault.do === 'mistype') this.#write(this.#textOf({ ...line, type: 'RENAMED' }))
    else if (this.#cursor.bookmarks && line.revision > 0) this.#write(this.#textOf(this.#cursor.mark()))
    faults.passed(this.#asked.scope)
  }

  #textOf(line: Line): string {
    return lineText(line, this.#asked)
  }

  #apply(fault: StreamFault): void {
    if (fault.do === 'close') this.end()
    else if (fault.do === 'error-event') {
      if (fault.stream === 'closes') this.#fail(fault.code, fault.message)
      else this.#sendError(fault.code, fault.message)
    } else this.#breakOff(fault)
  }

  #breakOff(fault: Extract<FaultAction, { do: 'reset' | 'truncate' | 'stall' }>): void {
    this.#state = 'stuck'
    if (fault.do !== 'stall' || fault.at === 'half') this.#write(this.#textOf(this.#cursor.mark()).slice(0, 40))
    this.#flush()
    if (fault.do === 'reset') this.#parts.reset(this.#response)
    // A turn of the loop later: until then node:http holds back what was written.
    if (fault.do === 'truncate') setImmediate(() => this.#response.socket?.destroySoon())
  }

  #fail(code: number, message?: string): void {
    this.#sendError(code, message)
    this.end()
  }

  /** An ERROR event, and nothing ever after. */
  #sendError(code: number, message = `an error of the API server (${code})`): void {
    this.#writeHead()
    this.#write(`{"type":"ERROR","object":${JSON.stringify(status({ code, message }))}}\n`)
    this.#flush()
    this.#state = 'stuck'
  }

  /** Collects lines: a first picture of thousands of objects is not worth thousands of packets. */
  #write(text: string): void {
    this.#text += text
    if (this.#text.length >= CHUNK_CHARACTERS) this.#flush()
  }

  #flush(): void {
    const text = this.#text
    this.#text = ''
    if (text !== '' && !this.#response.write(text) && this.#state === 'flowing') this.#state = 'full'
  }

  #writeHead(): void {
    if (this.#response.headersSent) return
    this.#response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' })
    this.#response.flushHeaders()
  }
}
