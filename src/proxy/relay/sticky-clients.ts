import type { StickyClient } from './messages.ts'

// The sticky clients of all workers, kept for a worker that replaces a crashed one.

export class StickyClients {
  readonly #known = new Map<string, Map<string, StickyClient>>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** After `stickySeconds` without a visit a client is forgotten. */
  put(key: string, stickyClient: StickyClient, stickySeconds: number): void {
    const clients = this.#known.get(key) ?? new Map<string, StickyClient>()
    this.#known.set(key, clients)
    clients.delete(stickyClient.client)
    clients.set(stickyClient.client, stickyClient)
    // The oldest stand first: a client that came again has moved to the end.
    const since = this.#now() - stickySeconds * 1000
    for (const [client, { at }] of clients) {
      if (at >= since) break
      clients.delete(client)
    }
  }

  of(key: string): readonly StickyClient[] {
    return [...(this.#known.get(key)?.values() ?? [])]
  }

  forget(key: string): void {
    this.#known.delete(key)
  }
}
