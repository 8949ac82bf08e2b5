import type { DeleteOptions, ObjectKey, Selection, Subresource } from '#lab/client/cluster-client.ts'
import type { ApiObject } from '#lab/client/objects.ts'

// What a controller is: which objects concern which of its keys, and what is to be written for a key.

export interface Controller {
  /** `replicaset-controller`: the source of its Events. */
  readonly name: string
  readonly follows: readonly Interest[]
  /** One key is decided by one worker at a time. A decision is taken again after each change, so it need not be complete. */
  readonly decide: (key: string, look: Look) => Decision | Promise<Decision>
  /** How many keys may be decided at once; 8 if absent. */
  readonly workers?: number
}

export interface Interest {
  readonly kind: string
  readonly selection?: Selection
  /** The keys that a change of this object concerns. Absent: it is only looked at. `before` is how it was. */
  readonly keys?: (object: ApiObject, look: Look, before?: ApiObject) => Iterable<string>
}

/** What is known of the cluster, as the API server last said. */
export interface Look {
  readonly now: number
  all<T extends ApiObject>(kind: string): Iterable<T>
  one<T extends ApiObject>(kind: string, key: string): T | undefined
}

export interface Decision {
  /** Made at once and in no order: what must come after another is for the next decision. */
  readonly writes: readonly Write[]
  /** Decided again after this long even if nothing changes. */
  readonly againMs?: number
}

/** A conflict means that the decision was taken on old facts: it is taken again. */
export type Write =
  | { readonly do: 'create'; readonly object: ApiObject; readonly note?: (made: ApiObject) => Note }
  /** Only over the version that was looked at. */
  | { readonly do: 'replace'; readonly object: ApiObject; readonly subresource?: Subresource; readonly note?: Note }
  | {
      readonly do: 'patch'
      readonly kind: string
      readonly key: ObjectKey
      readonly patch: object
      readonly subresource?: Subresource
      readonly note?: Note
    }
  | {
      readonly do: 'delete'
      readonly object: ApiObject
      readonly options?: Omit<DeleteOptions, 'uid'>
      readonly note?: Note
    }
  | { readonly do: 'bind'; readonly pod: ApiObject; readonly node: string; readonly note?: Note }
  /** An Event alone. */
  | { readonly do: 'note'; readonly note: Note }

/** A Kubernetes Event. */
export interface Note {
  readonly about: ApiObject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export const NOTHING: Decision = { writes: [] }
