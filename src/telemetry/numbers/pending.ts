import type { Family } from '#values/address.ts'

// Changes as they arrive, syncs as they end → which changes the kernel does not have yet, and how long those took that it has.

export interface PendingChange {
  readonly kind: 'Service' | 'EndpointSlice'
  readonly name: string
  /** The lanes that must carry it out. */
  readonly families: readonly Family[]
  /** When the change was made, in milliseconds since the epoch; unknown for most. */
  readonly triggered?: number
}

interface Waiting {
  readonly kind: PendingChange['kind']
  /** When the last of them arrived. */
  readonly at: number
  readonly triggers: readonly number[]
}

export class Pending {
  readonly #waiting = new Map<Family, Map<string, Waiting>>()

  /** Several changes of one object are one that waits, but each of them counts in how long it took. */
  noticed({ kind, name, families, triggered }: PendingChange, at: number): void {
    for (const family of families) {
      const waiting = this.#of(family)
      const key = `${kind} ${name}`
      // An object that went away has no trigger time: no client waits for it.
      const triggers = triggered === undefined ? [] : [...(waiting.get(key)?.triggers ?? []), triggered]
      waiting.set(key, { kind, at, triggers })
    }
  }

  /** A sync that began at this time has succeeded; returns when the changes in it had been made. */
  done(family: Family, startedAt: number): readonly number[] {
    const waiting = this.#of(family)
    const carried = [...waiting].filter(([, { at }]) => at <= startedAt)
    for (const [key] of carried) waiting.delete(key)
    return carried.flatMap(([, { triggers }]) => triggers)
  }

  /** Objects with a change that at least one lane has not carried out. */
  count(kind: PendingChange['kind']): number {
    const keys = [...this.#waiting.values()].flatMap(waiting => [...waiting].filter(([, entry]) => entry.kind === kind))
    return new Set(keys.map(([key]) => key)).size
  }

  #of(family: Family): Map<string, Waiting> {
    const waiting = this.#waiting.get(family) ?? new Map<string, Waiting>()
    this.#waiting.set(family, waiting)
    return waiting
  }
}
