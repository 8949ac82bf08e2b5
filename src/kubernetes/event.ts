import type { ObjectName } from '#values/names.ts'
import type { ClusterObject, Kind } from './objects.ts'

// What arrives. Where a cluster comes from does not matter: the API server, YAML, the sandbox, a test's array.

export type Event =
  | { readonly type: 'put'; readonly object: ClusterObject }
  | { readonly type: 'gone'; readonly kind: Kind; readonly name: ObjectName }
  /**
   * Something of this object was not usable and was left out: one line a problem, each with its path. A `put` beside it
   * carries what was usable; an object of which nothing was usable is told as `gone`.
   */
  | { readonly type: 'problem'; readonly kind: string; readonly name: string; readonly problems: readonly string[] }
  /** The first complete picture of this kind has been delivered. */
  | { readonly type: 'synced'; readonly kind: Kind }

/** Yields until the signal aborts, or until a finite source (a file) has told all. */
export type Source = (signal: AbortSignal) => AsyncIterable<Event>
