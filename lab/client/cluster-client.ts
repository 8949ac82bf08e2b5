import type { ApiObject } from './objects.ts'

// What a program of the lab asks of an API server, our own or any other, by HTTP as every client does.

/** `namespace` is absent for what stands in none. */
export interface ObjectKey {
  readonly namespace?: string
  readonly name: string
}

export interface Selection {
  /** Absent: all of them. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  /** Only the object that has this uid, or this version. */
  readonly uid?: string
  readonly resourceVersion?: string
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
}

/** A part of an object with an address of its own. */
export type Subresource = 'status' | 'finalize'

/**
 * A kind is written `Pod`, or `Event.events.k8s.io` where two groups have it. What the API server refuses is an ApiRefused;
 * where no answer came, an Error, and whether a write has worked is not known then.
 */
export interface ClusterClient {
  /** Undefined where it is not there. */
  get<T extends ApiObject>(kind: string, key: ObjectKey): Promise<T | undefined>
  list<T extends ApiObject>(kind: string, selection?: Selection): Promise<readonly T[]>
  create<T extends ApiObject>(object: T): Promise<T>
  /** With a resourceVersion in it, a conflict where the object has changed since. */
  replace<T extends ApiObject>(object: T, subresource?: Subresource): Promise<T>
  /** A JSON merge patch. */
  patch<T extends ApiObject>(kind: string, key: ObjectKey, mergePatch: object, subresource?: Subresource): Promise<T>
  /** What is posted to an object: a Binding or an Eviction to a Pod. */
  post(kind: string, key: ObjectKey, subresource: 'binding' | 'eviction', object: ApiObject): Promise<void>
  /** Also resolves where it is gone already. */
  delete(kind: string, key: ObjectKey, options?: DeleteOptions): Promise<void>
  /** What there is now and each change of it, through every reconnect, until closed. Followers of the same share a watch. */
  follow<T extends ApiObject>(kind: string, selection: Selection, on: Follower<T>): Followed<T>
  /** Ends all that is followed, and every request. */
  close(): Promise<void>
}

export interface Follower<T> {
  /** `before` is absent where it is new to this follower. */
  readonly changed?: (object: T, before?: T) => void
  /** As it was last seen. */
  readonly gone?: (object: T) => void
  /** Everything that was there has been shown. */
  readonly synced?: () => void
}

export interface Followed<T> {
  /** By `namespace/name`, or by name where there is no namespace. */
  items(): ReadonlyMap<string, T>
  /** Resolves when everything that was there has been shown; rejects when it is closed before. */
  readonly synced: Promise<void>
  /** Nothing is called after this. */
  close(): void
}

/** `namespace/name`, or the name alone. */
export function keyOf({ metadata: { namespace, name } }: ApiObject): string {
  return namespace ? `${namespace}/${name}` : (name ?? '')
}

/** The key that a text of `keyOf` stands for. */
export function keyIn(text: string): ObjectKey {
  const slash = text.indexOf('/')
  return slash === -1 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) }
}
