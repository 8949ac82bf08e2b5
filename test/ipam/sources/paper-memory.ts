import type { Grant, SeenText } from '#ipam/leases/grants/granted-row.ts'
import type { GrantedRanges } from '#ipam/leases/lease-book.ts'
import type { RangesMemory } from '#ipam/sources/range-source.ts'

// What a source remembers, and the addresses that pods have, in memory.

export class PaperMemory implements RangesMemory {
  readonly leases = new Set<number>()
  grant: (Grant & GrantedRanges) | undefined
  seen: SeenText | undefined
  saves = 0

  load(): (Grant & GrantedRanges) | undefined {
    return this.grant
  }

  save(grant: Grant): void {
    this.saves++
    this.grant = { ...grant, revision: (this.grant?.revision ?? 0) + 1 }
  }

  drop(): void {
    this.grant = undefined
  }

  saveSeen(seen: SeenText): void {
    this.seen = seen
  }

  /** An address is taken or it is not. */
  endCooldowns(): void {}

  takenIn({ start, end }: { readonly start: number; readonly end: number }) {
    return [...this.leases]
      .filter(address => start <= address && address < end)
      .sort((a, b) => a - b)
      .map(address => ({ start: address, end: address + 1 }))
  }
}
