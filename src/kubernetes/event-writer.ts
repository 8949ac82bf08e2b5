import type { EventsV1Event } from '@kubernetes/client-node'
import type { Clock } from '#system/ports.ts'
import type { ApiTransport } from './transport.ts'

// Kubernetes Events → the API server, as far as it takes them. No sync waits for one, and a failure stops nothing.

/** An events.k8s.io/v1 Event with what the writer needs of it. */
export type WrittenEvent = Partial<Written<EventsV1Event>> & {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly reason: string
}

/** The API server drops unknown fields silently, so a mistyped one must not compile. */
type OnlyFieldsOfEvent<E> = E & { readonly [Name in Exclude<keyof E, keyof WrittenEvent>]: never }

/** A type of client-node in JSON: its times are texts. */
type Written<T> = {
  readonly [Name in keyof T]: NonNullable<T[Name]> extends Date
    ? string
    : NonNullable<T[Name]> extends object
      ? Written<T[Name]>
      : T[Name]
}

export interface EventWriterParts {
  readonly transport: Pick<ApiTransport, 'post'>
  readonly clock: Clock
  /** Called with what became of each. `why` is one line for the log. */
  readonly onFate: (fate: Fate) => void
  /** Called with each attempt that failed and is made again. */
  readonly onDelay?: (delay: Delay) => void
  readonly limits?: Partial<EventLimits>
}

export type Fate =
  | { readonly event: WrittenEvent; readonly result: 'sent' }
  | { readonly event: WrittenEvent; readonly result: 'dropped'; readonly why: string }

export interface Delay {
  readonly why: string
  /** This Event, and those behind it. */
  readonly waiting: number
}

export interface EventLimits {
  /** How many may be sent at once. */
  readonly burst: number
  /** After the burst, one in this time. */
  readonly everyMs: number
  /** Until an answer has come. */
  readonly answerMs: number
  readonly retryMs: number
  readonly tries: number
  /** The same reason and note for the same object are sent again after this long. */
  readonly repeatMs: number
}

/**
 * An API server that is away is tried for two minutes, as kube-proxy does. Beyond the burst, more Events than these are
 * read by no person.
 */
export const EVENT_LIMITS: EventLimits = {
  burst: 25,
  everyMs: 10_000,
  answerMs: 10_000,
  retryMs: 10_000,
  tries: 12,
  repeatMs: 600_000,
}

const QUEUED = 100
const CLOSED = 'the program ended first'
const CREATED = 201
/** It is there already: another node, or this agent before a restart, has sent the same. */
const EXISTS = 409

export class EventWriter {
  readonly #parts: EventWriterParts
  readonly #limits: EventLimits
  readonly #stop = new AbortController()
  readonly #queue: WrittenEvent[] = []
  readonly #known = new Map<string, number>()
  #sending: Promise<void> | undefined
  #allowance: { readonly left: number; readonly at: number }

  constructor(parts: EventWriterParts) {
    this.#parts = parts
    this.#limits = { ...EVENT_LIMITS, ...parts.limits }
    this.#allowance = { left: this.#limits.burst, at: parts.clock.now() }
  }

  /** Returns at once. */
  send<E extends WrittenEvent>(event: OnlyFieldsOfEvent<E>): void {
    if (this.#stop.signal.aborted || this.#isOld(event)) return
    if (this.#queue.length < QUEUED) this.#queue.push(event)
    else this.#drop(event, `${QUEUED} others are waiting`)
    this.#sending ??= this.#sendAll()
  }

  /** Events that are still queued are dropped. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#sending
    for (const event of this.#queue.splice(0)) this.#drop(event, CLOSED)
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const event = this.#queue.shift()
      if (event === undefined) break
      await this.#allowed()
      if (signal.aborted) this.#drop(event, CLOSED)
      else await this.#deliver(event)
    }
    this.#sending = undefined
  }

  async #deliver(event: WrittenEvent): Promise<void> {
    const { clock, onFate, onDelay } = this.#parts
    for (let tried = 1; ; tried++) {
      const { why, again } = await this.#post(event)
      if (why === undefined) return onFate({ event, result: 'sent' })
      if (this.#stop.signal.aborted) return this.#drop(event, CLOSED)
      if (!again || tried >= this.#limits.tries) return this.#drop(event, why)
      onDelay?.({ why, waiting: this.#queue.length + 1 })
      await clock.sleep(this.#limits.retryMs, this.#stop.signal)
      if (this.#stop.signal.aborted) return this.#drop(event, CLOSED)
    }
  }

  async #post(event: WrittenEvent): Promise<{ readonly why?: string; readonly again?: boolean }> {
    const { transport, clock } = this.#parts
    const { answerMs } = this.#limits
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, this.#stop.signal])
    void clock.sleep(answerMs, signal).then(() => over.abort(new Error(`no answer for ${answerMs / 1000} s`)))
    try {
      const path = `/apis/events.k8s.io/v1/namespaces/${event.metadata.namespace}/events`
      const { status, body } = await transport.post({ path, body: JSON.stringify(event), signal })
      await body.dump()
      if (status === CREATED || status === EXISTS) return {}
      return { why: `the API server answered ${status}`, again: status === 429 || status >= 500 }
    } catch (error) {
      return { why: reasonOf(error), again: true }
    } finally {
      over.abort()
    }
  }

  #drop(event: WrittenEvent, why: string): void {
    this.#parts.onFate({ event, result: 'dropped', why })
  }

  /** Waits until one more may be sent. */
  async #allowed(): Promise<void> {
    const { clock } = this.#parts
    const { burst, everyMs } = this.#limits
    const { left, at } = this.#allowance
    const now = clock.now()
    const have = Math.min(burst, left + (now - at) / everyMs)
    this.#allowance = { left: have - 1, at: now }
    if (have < 1) await clock.sleep((1 - have) * everyMs, this.#stop.signal)
  }

  #isOld({ metadata, regarding = {}, reason, note = '' }: WrittenEvent): boolean {
    const now = this.#parts.clock.now()
    for (const [key, at] of this.#known) if (now - at >= this.#limits.repeatMs) this.#known.delete(key)
    const key = `${metadata.namespace} ${regarding.kind} ${regarding.name} ${reason} ${note}`
    if (this.#known.has(key)) return true
    this.#known.set(key, now)
    return false
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
