import { servedForm, storedAs } from '#lab/api-server/event-forms.ts'
import type { FaultScope } from '#lab/api-server/fault-plan.ts'
import { type ApiObject, type ApiStore, atRevision, type Change } from '#lab/api-server/store.ts'
import { apiVersion, type Resource } from '../resources.ts'
import type { Matcher } from '../selectors.ts'
import { revisionNumber, selected, tooLarge } from './list.ts'
import { checkWatchOptions } from './list-options.ts'
import type { Rendering } from './rendering.ts'

// A watch request and the store's history → the events this client has not got yet, one after the other.

export interface WatchRequest {
  readonly scope: FaultScope
  readonly resource: Resource
  readonly namespace: string | undefined
  readonly matches: Matcher
  readonly query: URLSearchParams
  readonly rendering: Rendering
}

export interface Line {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'RENAMED'
  readonly object: ApiObject
  /** 0 where the event is part of the first picture, which has no order. */
  readonly revision: number
}

export class Cursor {
  /** The client asked for bookmarks. */
  readonly bookmarks: boolean
  /** The client asked for the first picture as events, and for a mark at its end. */
  readonly watchList: boolean
  readonly #asked: WatchRequest
  readonly #store: ApiStore
  readonly #from: number
  #initial: ApiObject[] = []
  #endMark: 'pending' | 'none' | 'never' = 'none'
  #at = 0

  /** Refuses what the real server refuses before it starts to stream. */
  constructor(asked: WatchRequest, store: ApiStore) {
    this.#asked = asked
    this.#store = store
    this.#from = revisionNumber(asked.query.get('resourceVersion'))
    this.bookmarks = asked.query.get('allowWatchBookmarks') === 'true'
    this.watchList = asked.query.get('sendInitialEvents') === 'true'
    checkWatchOptions(asked.query)
    if (this.watchList && this.#from > store.revision) throw tooLarge(this.#from, store.revision)
  }

  /** No resourceVersion to start at: the server chooses the state the client starts from. */
  get fromAnywhere(): boolean {
    return this.#from === 0
  }

  /** The resourceVersion was never given out yet: nothing is said before it is. */
  get early(): boolean {
    return this.#store.revision < this.#from
  }

  /** Text for the ERROR event where the past this watch needs is forgotten. */
  get expired(): string | undefined {
    const { compacted } = this.#store
    return this.#at < compacted ? `too old resource version: ${this.#at} (${compacted})` : undefined
  }

  /** Everything of the first picture was sent, and its end. */
  get settled(): boolean {
    return this.#initial.length === 0 && this.#endMark === 'none'
  }

  begin(endMark: 'pending' | 'never'): void {
    const asEvents = this.watchList || (this.#from === 0 && this.#asked.query.get('sendInitialEvents') !== 'false')
    this.#at = asEvents || this.#from === 0 ? this.#store.revision : this.#from
    if (!asEvents) return
    const snapshot = this.#store.snapshot(this.#asked.resource, this.#at)!
    // Reversed, because taking from the end of a list is cheap.
    this.#initial = selected(snapshot, this.#asked)
      .map(({ object }) => object)
      .reverse()
    if (this.watchList && this.bookmarks) this.#endMark = endMark
  }

  next(withheld: ReadonlySet<'events' | 'bookmarks'>): Line | undefined {
    if (withheld.has('events')) return undefined
    const object = this.#initial.pop()
    if (object !== undefined) return { type: 'ADDED', object, revision: 0 }
    if (this.#endMark === 'pending') {
      if (withheld.has('bookmarks')) return undefined
      this.#endMark = 'none'
      return this.mark({ 'k8s.io/initial-events-end': 'true' })
    }
    for (let change = this.#advance(); change !== undefined; change = this.#advance()) {
      const line = seen(change, this.#asked)
      if (line !== undefined) return line
    }
    return undefined
  }

  /** A bookmark: everything up to here was sent. */
  mark(annotations?: Readonly<Record<string, string>>): Line {
    const { kind } = this.#asked.resource
    const more = annotations === undefined ? {} : { annotations }
    const metadata = { resourceVersion: String(this.#at), creationTimestamp: null, ...more }
    const object = { kind, apiVersion: apiVersion(this.#asked.resource), metadata } as unknown as ApiObject
    return { type: 'BOOKMARK', object, revision: this.#at }
  }

  #advance(): Change | undefined {
    const change = this.#store.change(this.#at + 1)
    if (change !== undefined) this.#at++
    return change
  }
}

export function lineText({ type, object }: Line, { resource, rendering }: WatchRequest): string {
  return `{"type":"${type}","object":${rendering.object(resource, object)}}\n`
}

/** How a selective watch sees a change: as in Kubernetes, what no longer matches is DELETED in its last matching state. */
function seen(change: Change, asked: WatchRequest): Line | undefined {
  if (change.resource !== storedAs(asked.resource)) return undefined
  const { type, revision } = change
  const object = servedForm(asked.resource, change.object)
  const previous = change.previous && servedForm(asked.resource, change.previous)
  const visible = (it: ApiObject) =>
    (asked.namespace === undefined || it.metadata.namespace === asked.namespace) && asked.matches(it)
  const before = previous !== undefined && visible(previous)
  const now = type !== 'DELETED' && visible(object)
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', object, revision }
  return before ? { type: 'DELETED', object: atRevision(previous, revision), revision } : undefined
}
