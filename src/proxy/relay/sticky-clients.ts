import type { Memory } from './messages.ts'

// What the workers tell of sticky clients, kept for the worker that comes in the place of another.

export class Memories {
  readonly #known = new Map<string, Map<string, Memory>>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** `stickySeconds`: how long it is worth anything. */
  put(key: string, memory: Memory, stickySeconds: number): void {
    const clients = this.#known.get(key) ?? new Map<string, Memory>()
    this.#known.set(key, clients)
    clients.delete(memory.client)
    clients.set(memory.client, memory)
    // The oldest stand first: a client that is told of again moves to the end.
    const since = this.#now() - stickySeconds * 1000
    for (const [client, { at }] of clients) {
      if (at >= since) break
      clients.delete(client)
    }
  }

  of(key: string): readonly Memory[] {
    return [...(this.#known.get(key)?.values() ?? [])]
  }

  forget(key: string): void {
    this.#known.delete(key)
  }
}
