import type { ApiObject } from '#lab/client/objects.ts'

// Writes that the watches have not shown yet: until they have, a key would be decided on facts from before its own writes.

/** What is waited for of one object. */
export type Expectation =
  | { readonly kind: string; readonly key: string; readonly until: 'version'; readonly version: string }
  /** Gone, or on its way. */
  | { readonly kind: string; readonly key: string; readonly until: 'ending'; readonly uid: string | undefined }

type Find = (kind: string, key: string) => ApiObject | undefined

export class Outstanding {
  readonly #find: Find
  /** Of each key what is left to be seen. */
  readonly #left = new Map<string, Expectation[]>()
  /** Objects that were seen to go since they were written: they will not be seen again. */
  readonly #gone = new Map<string, string>()

  constructor(find: Find) {
    this.#find = find
  }

  /** Whether there is anything to wait for. */
  expect(key: string, expectations: readonly Expectation[]): boolean {
    const left = expectations.filter(expectation => !this.#isMet(expectation))
    if (left.length > 0) this.#left.set(key, left)
    return left.length > 0
  }

  /** An object of this kind changed: the keys that now have nothing to wait for. */
  seen(kind: string): readonly string[] {
    const free: string[] = []
    for (const [key, all] of this.#left) {
      if (!all.some(expectation => expectation.kind === kind)) continue
      const left = all.filter(expectation => !this.#isMet(expectation))
      if (left.length > 0) this.#left.set(key, left)
      else free.push(key)
    }
    for (const key of free) this.#left.delete(key)
    return free
  }

  gone(kind: string, key: string, version: string | undefined): void {
    this.#gone.set(`${kind} ${key}`, version ?? '')
    if (this.#gone.size <= REMEMBERED) return
    const [oldest] = this.#gone.keys()
    this.#gone.delete(oldest!)
  }

  /** Nothing is waited for any more. */
  forget(key: string): boolean {
    return this.#left.delete(key)
  }

  #isMet(expectation: Expectation): boolean {
    const { kind, key } = expectation
    const object = this.#find(kind, key)
    if (expectation.until === 'ending')
      return object?.metadata.deletionTimestamp !== undefined || object?.metadata.uid !== expectation.uid
    const version = object?.metadata.resourceVersion ?? this.#gone.get(`${kind} ${key}`)
    return version !== undefined && isAtLeast(version, expectation.version)
  }
}

const REMEMBERED = 2_000

/** Versions of one API server are numbers that grow. */
function isAtLeast(version: string, other: string): boolean {
  return version.length === other.length ? version >= other : version.length > other.length
}
