import { baseAddress, type Cidr, cidrFamily, prefixLength, prefixOf } from '#values/cidr.ts'

// Ranges and who holds them → who holds addresses of another range. A look-up costs as much as there are lengths of prefixes,
// and a cluster has two or three.

export class HeldRanges {
  readonly #lengths: Readonly<Record<'ipv4' | 'ipv6', ReadonlySet<number>>>
  readonly #holders = new Map<Cidr, string>()
  /** Larger ranges, of the lengths that occur, and one that holds a part of them. */
  readonly #parts = new Map<Cidr, string>()

  /** All ranges that will be held or looked up. */
  constructor(ranges: Iterable<Cidr>) {
    const lengths = { ipv4: new Set<number>(), ipv6: new Set<number>() }
    for (const range of ranges) lengths[cidrFamily(range)].add(prefixLength(range))
    this.#lengths = lengths
  }

  hold(range: Cidr, holder: string): void {
    if (!this.#holders.has(range)) this.#holders.set(range, holder)
    for (const around of this.#around(range)) if (!this.#parts.has(around)) this.#parts.set(around, holder)
  }

  /** One that holds addresses of this range. */
  holderOf(range: Cidr): string | undefined {
    const same = this.#holders.get(range) ?? this.#parts.get(range)
    if (same !== undefined) return same
    return this.#around(range)
      .map(around => this.#holders.get(around))
      .find(holder => holder !== undefined)
  }

  #around(range: Cidr): readonly Cidr[] {
    const own = prefixLength(range)
    return [...this.#lengths[cidrFamily(range)]]
      .filter(length => length < own)
      .map(length => prefixOf(baseAddress(range), length))
  }
}
