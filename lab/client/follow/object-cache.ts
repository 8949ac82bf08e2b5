import { type Followed, type Follower, keyOf } from '../cluster-client.ts'
import type { ApiObject } from '../objects.ts'

// What a watch says → the objects as they are, and the calls to those who follow them.

interface Member {
  readonly on: Follower<ApiObject>
  /** It has been shown what was there when it came. */
  joined: boolean
}

export class ObjectCache {
  readonly #items = new Map<string, ApiObject>()
  readonly #members = new Set<Member>()
  readonly #synced = Promise.withResolvers<void>()
  #isSynced = false

  constructor() {
    // Whether it is waited for is for each follower to say.
    this.#synced.promise.catch(() => {})
  }

  /** A follower is called from the next turn on: it has the returned value by then. */
  join(on: Follower<ApiObject>, left: () => void): Followed<ApiObject> {
    const member: Member = { on, joined: false }
    this.#members.add(member)
    queueMicrotask(() => this.#show(member))
    const synced = this.#synced.promise.then(() => {})
    synced.catch(() => {})
    return {
      items: () => this.#items,
      synced,
      close: () => {
        if (this.#members.delete(member)) left()
      },
    }
  }

  /** A whole list: what is not in it is gone. Removals first: what comes may need the address of what goes. */
  replaceAll(items: readonly ApiObject[]): void {
    const keys = new Set(items.map(keyOf))
    for (const [key, object] of [...this.#items]) if (!keys.has(key)) this.remove(object)
    for (const item of items) this.put(item)
    if (this.#isSynced) return
    this.#isSynced = true
    for (const { on, joined } of [...this.#members]) if (joined) on.synced?.()
    this.#synced.resolve()
  }

  put(object: ApiObject): void {
    const key = keyOf(object)
    const known = this.#items.get(key)
    const isSame = known?.metadata.uid === object.metadata.uid
    if (isSame && known?.metadata.resourceVersion === object.metadata.resourceVersion) return
    // The same name again is another object, and the end of the one before was missed.
    if (known !== undefined && !isSame) this.remove(known)
    this.#items.set(key, object)
    const before = isSame ? known : undefined
    for (const { on, joined } of [...this.#members]) if (joined) on.changed?.(object, before)
  }

  remove(object: ApiObject): void {
    const key = keyOf(object)
    const known = this.#items.get(key)
    if (known === undefined || known.metadata.uid !== object.metadata.uid) return
    this.#items.delete(key)
    for (const { on, joined } of [...this.#members]) if (joined) on.gone?.(object)
  }

  close(): void {
    this.#members.clear()
    this.#synced.reject(new Error('closed before everything was there'))
  }

  #show(member: Member): void {
    if (!this.#members.has(member)) return
    member.joined = true
    for (const object of [...this.#items.values()]) member.on.changed?.(object)
    if (this.#isSynced) member.on.synced?.()
  }
}
