// What can go wrong between a client and an API server, as values: a test says which, on what, and how often.

export type Deed =
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
  /** Until undone. Held events come afterwards; bookmarks meanwhile do not pass over them. */
  | { readonly do: 'withhold'; readonly what: 'events' | 'bookmarks' | 'all' }
  /** An API server too old for WatchList, one on an etcd too old for it, one that never says that the picture is complete. */
  | { readonly do: 'refuse-watch-list'; readonly how: 'status-400' | 'status-422' | 'error-event' | 'never-ends' }
  /** 410 for the next page of a list. */
  | { readonly do: 'expire-continue' }
  /** The history is forgotten, at once and once. */
  | { readonly do: 'compact' }

export type RequestKind = 'list' | 'watch' | 'get' | 'write'

export type Mischief = Deed & {
  /** Only this kind of request. */
  readonly on?: RequestKind
  /** Only this resource: `services`, `endpointslices`, `nodes`, `events`. */
  readonly resource?: string
  /** How often; without it, until undone. A running watch is an opportunity, too. */
  readonly times?: number
  /** How many opportunities pass unharmed before; for what ends a watch, how many events. */
  readonly after?: number
}

export interface Where {
  readonly on: RequestKind
  readonly resource: string
}

type Of<D extends Deed['do']> = Extract<Deed, { readonly do: D }>
interface Trouble {
  readonly mischief: Mischief
  left: number
  skip: number
}

/** What happens to a running watch by itself, rather than to a request or to an event. */
const STREAM_DEEDS: ReadonlySet<string> = new Set(['close', 'reset', 'truncate', 'stall', 'error-event'])

export class Troubles {
  readonly #troubles = new Set<Trouble>()
  readonly #listeners = new Set<() => void>()

  /** Returns the way to undo. */
  add(mischief: Mischief): () => void {
    const trouble = { mischief, left: mischief.times ?? Number.POSITIVE_INFINITY, skip: mischief.after ?? 0 }
    this.#troubles.add(trouble)
    this.#tell()
    return () => {
      this.#troubles.delete(trouble)
      this.#tell()
    }
  }

  /** The first deed of these sorts that is due here; its count is taken. */
  strike<D extends Deed['do']>(
    where: Where,
    sorts: readonly D[],
    fits: (deed: Of<D>) => boolean = () => true,
  ): Of<D> | undefined {
    for (const trouble of this.#troubles) {
      const deed = trouble.mischief as Mischief & Of<D>
      if (!(sorts as readonly string[]).includes(deed.do) || !applies(deed, where) || !fits(deed)) continue
      if (trouble.skip > 0) {
        if (!countsEvents(trouble, where)) trouble.skip--
        continue
      }
      if (--trouble.left <= 0) this.#troubles.delete(trouble)
      return deed
    }
    return undefined
  }

  /** What is being withheld here. */
  withheld(where: Where): ReadonlySet<'events' | 'bookmarks'> {
    const held = new Set<'events' | 'bookmarks'>()
    for (const { mischief } of this.#troubles) {
      if (mischief.do !== 'withhold' || !applies(mischief, where)) continue
      if (mischief.what !== 'bookmarks') held.add('events')
      if (mischief.what !== 'events') held.add('bookmarks')
    }
    return held
  }

  /** An event was sent on a watch: what waits for a number of events comes nearer. */
  passed(where: Where): void {
    for (const trouble of this.#troubles) {
      if (trouble.skip > 0 && applies(trouble.mischief, where) && countsEvents(trouble, where)) trouble.skip--
    }
  }

  /** Called whenever a mischief comes or goes: running watches look what it means for them. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

function applies({ on, resource }: Mischief, where: Where): boolean {
  return (on === undefined || on === where.on) && (resource === undefined || resource === where.resource)
}

function countsEvents({ mischief }: Trouble, { on }: Where): boolean {
  const headers = mischief.do === 'stall' && mischief.at === 'headers'
  return on === 'watch' && STREAM_DEEDS.has(mischief.do) && !headers
}
