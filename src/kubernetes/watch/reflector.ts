import type { Event } from '#kubernetes/event.ts'
import type { ResourceStats } from '#kubernetes/stats.ts'
import type { ApiTransport } from '#kubernetes/transport.ts'
import type { Clock } from '#system/ports.ts'
import { Attempt, type Patience } from './attempt.ts'
import { NeverEnding } from './failures.ts'
import { type Frame, LineSplitter, parseFrame } from './frames.ts'
import { type Delivery, Ledger, Picture } from './ledger.ts'
import type { WatchLimits } from './limits.ts'
import { pagedList } from './pages.ts'
import type { AttemptEnding, Recovery } from './recovery.ts'
import { pathOf, type Resource, withoutFieldSelector } from './resources.ts'

// One resource of the API server → its events, for as long as the consumer asks for the next one.

export interface ReflectorParts {
  readonly resource: Resource
  readonly transport: Pick<ApiTransport, 'get'>
  readonly clock: Clock
  readonly random: () => number
  readonly limits: WatchLimits
  readonly recovery: Recovery
  readonly stats: ResourceStats
  /** Called when the first complete picture was delivered. */
  readonly synced: (objects: number) => void
}

/** How far this attempt came. */
interface Course {
  asked: AttemptEnding['asked']
  steps: number
  watchingSince?: number
}

type Known = Exclude<Frame, { readonly type: 'error' }>

const WATCH = { watch: 'true', allowWatchBookmarks: 'true' }
const STREAMED_LIST = { ...WATCH, sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
const NOTHING: readonly Delivery[] = []

/**
 * Nothing is lost: the watch is resumed at the last event that was applied, and an event counts as applied when the one
 * after it is asked for. Where that is not possible, everything is listed and compared with what was delivered.
 */
export class Reflector {
  readonly #parts: ReflectorParts
  readonly #ledger: Ledger
  #resource: Resource
  #lists: 'streamed' | 'paged' = 'streamed'
  /** The resourceVersion of the last event applied; empty where we know nothing. */
  #version = ''
  /** A list that is being gathered; nothing of it is delivered before it is complete. */
  #picture: Picture | undefined
  #course: Course = { asked: 'watch', steps: 0 }
  #synced: 'yes' | 'not yet' = 'not yet'
  /** Refused, and not needed: as good as empty. */
  #isAbsent = false

  constructor(parts: ReflectorParts) {
    this.#parts = parts
    this.#resource = parts.resource
    this.#ledger = new Ledger(parts.resource.kind)
  }

  async *events(signal: AbortSignal): AsyncGenerator<Event> {
    while (!signal.aborted) {
      const attempt = this.#attempt(signal)
      let error: unknown
      try {
        yield* this.#course.asked === 'paged list' ? this.#page(attempt, signal) : this.#watch(attempt, signal)
      } catch (caught) {
        error = caught
      } finally {
        await attempt.close()
      }
      if (signal.aborted) return
      const waitMs = this.#pause(error)
      if (this.#isAbsent) yield* this.#deliver(this.#nothing(), signal)
      await this.#parts.clock.sleep(waitMs, signal)
    }
  }

  #attempt(signal: AbortSignal): Attempt {
    const { clock, stats } = this.#parts
    const heard = () => {
      stats.lastActivityAt = clock.now()
    }
    const lists = this.#version === ''
    this.#picture = lists ? new Picture(this.#ledger) : undefined
    this.#course = { asked: lists ? `${this.#lists} list` : 'watch', steps: 0 }
    return new Attempt({ ...this.#parts, heard }, signal)
  }

  async *#page(attempt: Attempt, signal: AbortSignal): AsyncGenerator<Event> {
    const { pageSize } = this.#parts.limits
    const version = await pagedList(attempt, { resource: this.#resource, pageSize }, this.#picture!)
    yield* this.#deliver(this.#changes(), signal)
    this.#listed(version)
  }

  /** A watch; where we know nothing, one that begins with a list. */
  async *#watch(attempt: Attempt, signal: AbortSignal): AsyncGenerator<Event> {
    const answer = await attempt.ask(this.#watchPath())
    const { clock, limits } = this.#parts
    const lateAt = clock.now() + limits.streamedListMs
    if (this.#picture === undefined) this.#watching()
    const lines = new LineSplitter(limits.lineBytes)
    for await (const piece of attempt.pieces(answer, () => this.#patience())) {
      for (const line of lines.take(piece)) {
        const frame = known(parseFrame(line))
        const deliveries = this.#deliveries(frame)
        if (deliveries !== NOTHING) yield* this.#deliver(deliveries, signal)
        this.#applied(frame)
      }
      if (this.#picture !== undefined && clock.now() > lateAt) throw new NeverEnding('a streamed list does not end')
    }
  }

  async *#deliver(deliveries: Iterable<Delivery>, signal: AbortSignal): AsyncGenerator<Event> {
    for (const delivery of deliveries) {
      for (const event of delivery.events) {
        signal.throwIfAborted()
        yield event
      }
      this.#ledger.applied(delivery)
    }
  }

  #deliveries(frame: Known): Iterable<Delivery> {
    if (this.#picture !== undefined) return this.#gathered(this.#picture, frame)
    if (frame.type === 'bookmark') return NOTHING
    const { item } = frame
    if (frame.type === 'put') return this.#ledger.knows(item) ? NOTHING : [this.#ledger.put(this.#ledger.arrival(item))]
    return item.name === undefined ? NOTHING : [this.#ledger.gone(item.name)]
  }

  #gathered(picture: Picture, frame: Known): Iterable<Delivery> {
    if (frame.type === 'bookmark') return frame.ends === 'list' ? this.#changes() : NOTHING
    if (frame.type === 'put') picture.put(frame.item)
    else picture.gone(frame.item)
    return NOTHING
  }

  *#changes(): Generator<Delivery> {
    yield* this.#picture!.changes()
    const { kind } = this.#resource
    if (this.#synced === 'not yet') yield { events: [{ type: 'synced', kind }], name: undefined, usable: 'yes' }
  }

  /** Once only: what was there before our right to see it was taken away is still the best guess. */
  *#nothing(): Generator<Delivery> {
    if (this.#synced === 'yes') return
    yield { events: [{ type: 'synced', kind: this.#resource.kind }], name: undefined, usable: 'yes' }
    this.#synced = 'yes'
    this.#parts.stats.synced = true
  }

  /** Only after all events of a frame were applied may the watch be resumed behind it. */
  #applied(frame: Known): void {
    const version = frame.type === 'bookmark' ? frame.resourceVersion : frame.item.resourceVersion
    if (this.#picture !== undefined) {
      if (frame.type !== 'bookmark' || frame.ends !== 'list') return
      this.#listed(version)
      this.#watching()
      return
    }
    if (version !== this.#version) this.#course.steps += 1
    this.#version = version
    this.#parts.stats.objects = this.#ledger.size
  }

  #listed(version: string): void {
    const { stats, recovery, synced } = this.#parts
    this.#version = version
    this.#picture = undefined
    stats.lists += 1
    stats.objects = this.#ledger.size
    recovery.works(this.#resource)
    if (this.#synced === 'not yet') synced(stats.objects)
    this.#synced = 'yes'
    stats.synced = true
  }

  #watching(): void {
    this.#course.asked = 'watch'
    this.#course.watchingSince = this.#parts.clock.now()
    this.#parts.stats.watches += 1
    this.#parts.recovery.works(this.#resource)
  }

  /** Where the next attempt begins, and after how many milliseconds. */
  #pause(error: unknown): number {
    const { asked, steps, watchingSince } = this.#course
    if (error === undefined && asked === 'paged list') return 0
    const { clock, recovery } = this.#parts
    const watchedMs = watchingSince === undefined ? 0 : clock.now() - watchingSince
    const ending = { error, resource: this.#resource, asked, watchedMs, steps, version: this.#version }
    const { waitMs, from, without } = recovery.after(ending)
    if (from === 'the beginning') this.#version = ''
    if (without === 'streamed lists') this.#lists = 'paged'
    this.#isAbsent = without === 'resource'
    if (without === 'field selector') this.#resource = withoutFieldSelector(this.#resource)
    return waitMs
  }

  #watchPath(): string {
    const { limits, random } = this.#parts
    const [least, most] = limits.watchSeconds
    const timeoutSeconds = String(Math.floor(least + random() * (most - least)))
    const query = this.#picture === undefined ? { ...WATCH, resourceVersion: this.#version } : STREAMED_LIST
    return pathOf(this.#resource, { ...query, timeoutSeconds })
  }

  #patience(): Patience {
    const { listIdleMs, silenceMs } = this.#parts.limits
    return this.#picture === undefined
      ? { missing: 'no event and no bookmark', ms: silenceMs }
      : { missing: 'nothing more of a list', ms: listIdleMs }
  }
}

function known(frame: Frame): Known {
  if (frame.type === 'error') throw frame.refusal
  return frame
}
