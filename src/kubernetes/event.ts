import type { ObjectName } from '#values/names.ts'
import type { ClusterObject, ObjectKind } from './objects.ts'

// What arrives from a cluster. Where it comes from does not matter: the API server, YAML, the sandbox, a test's array.

export type Event =
  /** `warnings`: what of the object was kept, although it should be written otherwise; one line each, with its path. */
  | { readonly type: 'put'; readonly object: ClusterObject; readonly warnings?: readonly string[] }
  | { readonly type: 'gone'; readonly kind: ObjectKind; readonly name: ObjectName }
  /**
   * Something of this object was not usable and was left out: one line a problem, each with its path. A `put` beside it
   * carries what was usable; for an object of which nothing was usable, a `gone` follows.
   */
  | { readonly type: 'problem'; readonly kind: string; readonly name: string; readonly problems: readonly string[] }
  /** The first complete picture of this kind has been delivered. */
  | { readonly type: 'synced'; readonly kind: ObjectKind }

/** Yields until the signal aborts, or until a finite source (a file) is at its end. */
export type Source = (signal: AbortSignal) => AsyncIterable<Event>

export function putOf(object: ClusterObject, warnings: readonly string[]): Event {
  return { type: 'put', object, ...(warnings.length > 0 && { warnings }) }
}
