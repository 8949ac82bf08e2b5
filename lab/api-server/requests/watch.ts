import type { ServerResponse } from 'node:http'
import type { Deed, Troubles } from '#lab/api-server/fault-plan.ts'
import type { ApiStore } from '#lab/api-server/store.ts'
import { Refused, status } from './answers.ts'
import { Cursor, type Line, lineText, type WatchOrder } from './cursor.ts'

// The events of a cursor → an open HTTP response, for as long as the client, its timeout and mischief allow.

export interface WatchHouse {
  readonly store: ApiStore
  readonly troubles: Troubles
  /** How often a quiet watch is told where it is; 0: only when told to. */
  readonly bookmarkMs: number
  /** RST on the connection of this response. */
  reset(response: ServerResponse): void
}

type StreamDeed = Extract<Deed, { do: 'close' | 'reset' | 'truncate' | 'stall' | 'error-event' }>
const STREAM_DEEDS = ['close', 'reset', 'truncate', 'stall', 'error-event'] as const

/** Real servers tell a long watch where it is shortly before they end it, and short ones not at all. */
const LAST_BOOKMARK_MS = 2_000
const LONG_WATCH_SECONDS = 20
const DEFAULT_TIMEOUT_SECONDS = 1_800
const CHUNK_CHARACTERS = 64 * 1024
const NO_PROGRESS = 'required storage feature RequestWatchProgress is disabled'
const NO_WATCH_LIST =
  'sendInitialEvents: Forbidden: it is forbidden for watch unless the WatchList feature gate is enabled'

export class Watch {
  readonly #order: WatchOrder
  readonly #house: WatchHouse
  readonly #response: ServerResponse
  readonly #cursor: Cursor
  readonly #stops: (() => void)[] = []
  #text = ''
  #state: 'flowing' | 'full' | 'stuck' | 'ended' = 'flowing'

  /** Refuses what the real server refuses before it starts to stream. */
  constructor(order: WatchOrder, house: WatchHouse, response: ServerResponse) {
    this.#order = order
    this.#house = house
    this.#response = response
    this.#cursor = new Cursor(order, house.store)
  }

  start(): void {
    const refusal = this.#refusal()
    if (refusal === 'status-400') throw new Refused(400, NO_WATCH_LIST)
    if (refusal === 'status-422') throw new Refused(422, NO_WATCH_LIST)
    this.#response.on('drain', this.#resume)
    this.#response.on('close', () => this.#leave())
    this.#cursor.begin(refusal === 'never-ends' ? 'never' : 'owed')
    const { expired } = this.#cursor
    if (refusal === 'error-event') this.#fail(500, NO_PROGRESS)
    else if (expired !== undefined) this.#fail(410, expired)
    else this.#follow()
  }

  /** Tells the client where it is, if it asked for that and has heard everything before. */
  readonly bookmark = (): void => {
    this.#pump()
    const { bookmarks, early, settled } = this.#cursor
    if (!bookmarks || early || !settled || this.#state !== 'flowing') return
    const held = this.#house.troubles.withheld(this.#order.where)
    if (held.has('bookmarks')) return
    this.#write(lineText(this.#cursor.mark()))
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
  #refusal(): Extract<Deed, { do: 'refuse-watch-list' }>['how'] | undefined {
    const { watchList, bookmarks, fromAnywhere } = this.#cursor
    if (!watchList && !(bookmarks && fromAnywhere)) return undefined
    const fits = ({ how }: { how: string }) => watchList || how === 'error-event'
    return this.#house.troubles.strike(this.#order.where, ['refuse-watch-list'], fits)?.how
  }

  #follow(): void {
    const { store, troubles, bookmarkMs } = this.#house
    this.#stops.push(store.subscribe(this.#pump), troubles.subscribe(this.#pump))
    const seconds = Number(this.#order.query.get('timeoutSeconds')) || DEFAULT_TIMEOUT_SECONDS
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

  /** A stream that mischief made silent stays silent: its deadline is nothing the client may count on. */
  readonly #expire = (): void => {
    if (this.#state !== 'stuck') this.end()
  }

  readonly #resume = (): void => {
    if (this.#state === 'full') this.#state = 'flowing'
    this.#pump()
  }

  /** Writes all there is to say, as long as the client takes it. */
  readonly #pump = (): void => {
    if (this.#state !== 'flowing' || this.#cursor.early) return
    this.#writeHead()
    while (this.#state === 'flowing' && this.#step() === 'more');
    this.#flush()
  }

  #step(): 'more' | 'done' {
    const { where } = this.#order
    const { troubles } = this.#house
    const deed = troubles.strike(where, STREAM_DEEDS, it => it.do !== 'stall' || it.at !== 'headers')
    if (deed !== undefined) {
      this.#suffer(deed)
      return 'done'
    }
    const line = this.#cursor.next(troubles.withheld(where))
    if (line !== undefined) {
      this.#send(line)
      return 'more'
    }
    // Fell behind further than is remembered: real servers end such a watch, and the next one is told 410.
    if (this.#cursor.expired !== undefined) this.end()
    return 'done'
  }

  #send(line: Line): void {
    if (line.type === 'BOOKMARK') return void this.#write(lineText(line))
    const { troubles } = this.#house
    const deed = troubles.strike(this.#order.where, ['garble', 'mistype', 'drop'])
    const text = lineText(line)
    if (deed === undefined) this.#write(text)
    else if (deed.do === 'garble') this.#write(`${text.slice(0, text.length / 2)}\n`)
    else if (deed.do === 'mistype') this.#write(lineText({ ...line, type: 'RENAMED' }))
    else if (this.#cursor.bookmarks && line.revision > 0) this.#write(lineText(this.#cursor.mark()))
    troubles.passed(this.#order.where)
  }

  #suffer(deed: StreamDeed): void {
    if (deed.do === 'close') this.end()
    else if (deed.do === 'error-event') {
      if (deed.stream === 'closes') this.#fail(deed.code, deed.message)
      else this.#complain(deed.code, deed.message)
    } else this.#breakOff(deed)
  }

  #breakOff(deed: Extract<Deed, { do: 'reset' | 'truncate' | 'stall' }>): void {
    this.#state = 'stuck'
    if (deed.do !== 'stall' || deed.at === 'half') this.#write(lineText(this.#cursor.mark()).slice(0, 40))
    this.#flush()
    if (deed.do === 'reset') this.#house.reset(this.#response)
    // A turn of the loop later: until then node:http holds back what was written.
    if (deed.do === 'truncate') setImmediate(() => this.#response.socket?.destroySoon())
  }

  #fail(code: number, message?: string): void {
    this.#complain(code, message)
    this.end()
  }

  /** Says what is wrong, and nothing ever after. */
  #complain(code: number, message = `an error of the API server (${code})`): void {
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
