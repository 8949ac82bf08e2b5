import type { FollowedSource } from './views/followed.ts'

// What happens in a program → a call for each page that is looked at; with none, a look at an empty set.

export class PageFeed implements FollowedSource {
  readonly #listeners = new Set<() => void>()

  /** How many look. */
  get followers(): number {
    return this.#listeners.size
  }

  changed(): void {
    for (const listener of this.#listeners) listener()
  }

  follow(changed: () => void): () => void {
    // The same function may follow twice.
    const listener = () => changed()
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
