// Faults between a client and an API server, as values: a test says which, on which requests, and how often.

export type FaultAction =
  /** A watch ends as if its time were up; a list loses its connection before any answer. */
  | { readonly do: 'close' }
  /** RST: in the middle of a watch line, in the middle of a list. */
  | { readonly do: 'reset' }
  /** FIN in the middle of a watch line or of a list, without the end of the body. */
  | { readonly do: 'truncate' }
  /** The connection stays and nothing more comes: no headers, headers alone, or half a list (half a watch line). */
  | { readonly do: 'stall'; readonly at: 'headers' | 'body' | 'half' }
  | { readonly do: 'status'; readonly code: number; readonly retryAfterSeconds?: number; readonly message?: string }
  /** The watch gets an ERROR event, as for an expired resourceVersion (410). */
  | {
      readonly do: 'error-event'
      readonly code: number
      readonly stream: 'closes' | 'stays-open'
      readonly message?: string
    }
  /** The next event is lost: malformed JSON, an event of an unknown type, or just a bookmark comes in its place. */
  | { readonly do: 'garble' | 'mistype' | 'drop' }
  /** Until undone. Withheld events come afterwards; bookmarks meanwhile do not pass over them. */
  | { readonly do: 'withhold'; readonly what: 'events' | 'bookmarks' | 'all' }
  /** An API server too old for WatchList, one on an etcd too old, one that never says that the picture is complete. */
  | { readonly do: 'refuse-watch-list'; readonly how: 'status-400' | 'status-422' | 'error-event' | 'never-ends' }
  /** 410 for the next page of a list. */
  | { readonly do: 'expire-continue' }
  /** The history is forgotten, at once and once. */
  | { readonly do: 'compact' }

export type RequestKind = 'list' | 'watch' | 'get' | 'write'

export type Fault = FaultAction & {
  /** Only this kind of request. */
  readonly on?: RequestKind
  /** Only this resource: `services`, `endpointslices`, `nodes`, `events`. */
  readonly resource?: string
  /** How often; without it, until undone. A running watch is an opportunity, too. */
  readonly times?: number
  /** How many opportunities pass unharmed before; for what ends a watch, how many events. */
  readonly after?: number
}

/** What a request is, as far as faults choose by it. */
export interface FaultScope {
  readonly on: RequestKind
  readonly resource: string
}

type Of<D extends FaultAction['do']> = Extract<FaultAction, { readonly do: D }>

/** A fault that was injected, and how much of it is left. */
interface PlannedFault {
  readonly fault: Fault
  left: number
  skip: number
}

/** What happens to a running watch by itself, rather than to a request or to an event. */
const STREAM_FAULTS: ReadonlySet<string> = new Set(['close', 'reset', 'truncate', 'stall', 'error-event'])

export class FaultPlan {
  readonly #planned = new Set<PlannedFault>()
  readonly #listeners = new Set<() => void>()

  /** Returns the way to undo. */
  add(fault: Fault): () => void {
    const planned = { fault, left: fault.times ?? Number.POSITIVE_INFINITY, skip: fault.after ?? 0 }
    this.#planned.add(planned)
    this.#notify()
    return () => {
      this.#planned.delete(planned)
      this.#notify()
    }
  }

  /** The first fault of these sorts that is due in this scope; its count is taken. */
  take<D extends FaultAction['do']>(
    scope: FaultScope,
    sorts: readonly D[],
    fits: (fault: Of<D>) => boolean = () => true,
  ): Of<D> | undefined {
    for (const planned of this.#planned) {
      const fault = planned.fault as Fault & Of<D>
      if (!(sorts as readonly string[]).includes(fault.do) || !applies(fault, scope) || !fits(fault)) continue
      if (planned.skip > 0) {
        if (!countsEvents(planned, scope)) planned.skip--
        continue
      }
      if (--planned.left <= 0) this.#planned.delete(planned)
      return fault
    }
    return undefined
  }

  /** What is being withheld in this scope. */
  withheld(scope: FaultScope): ReadonlySet<'events' | 'bookmarks'> {
    const withheld = new Set<'events' | 'bookmarks'>()
    for (const { fault } of this.#planned) {
      if (fault.do !== 'withhold' || !applies(fault, scope)) continue
      if (fault.what !== 'bookmarks') withheld.add('events')
      if (fault.what !== 'events') withheld.add('bookmarks')
    }
    return withheld
  }

  /** An event was sent on a watch: a fault that waits for a number of events comes nearer. */
  passed(scope: FaultScope): void {
    for (const planned of this.#planned) {
      if (planned.skip > 0 && applies(planned.fault, scope) && countsEvents(planned, scope)) planned.skip--
    }
  }

  /** Called whenever a fault comes or goes: running watches look what it means for them. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }
}

function applies({ on, resource }: Fault, scope: FaultScope): boolean {
  return (on === undefined || on === scope.on) && (resource === undefined || resource === scope.resource)
}

function countsEvents({ fault }: PlannedFault, { on }: FaultScope): boolean {
  const headers = fault.do === 'stall' && fault.at === 'headers'
  return on === 'watch' && STREAM_FAULTS.has(fault.do) && !headers
}
