import fc from 'fast-check'
import { rangeSets } from '#ipam/ranges/range-config.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { addressFromNumber, addressNumber, type Family } from '#values/address.ts'
import { baseAddress, cidrFamily, parseCidr, prefixLength } from '#values/cidr.ts'

// Range sets as they stand in a configuration, by example and by chance.

export interface WrittenRange {
  readonly subnet: string
  readonly rangeStart?: string
  readonly rangeEnd?: string
  readonly gateway?: string
}

export function setsOf(...ranges: readonly (readonly WrittenRange[])[]): readonly RangeSet[] {
  const decoded = rangeSets({ ipam: { ranges } })
  if (!decoded.ok) throw new Error(decoded.problems.map(problem => problem.text).join('; '))
  return decoded.sets
}

export function setOf(...ranges: readonly WrittenRange[]): RangeSet {
  return setsOf(ranges)[0]!
}

/** Small subnets of one family side by side, so that a test can count to the end of them, with bounds and gateways anywhere. */
export function writtenSets(family: Family): fc.Arbitrary<readonly (readonly WrittenRange[])[]> {
  return fc
    .array(fc.record({ bits: fc.integer({ min: 2, max: 6 }), cut: cutting, opensSet: fc.boolean() }), {
      minLength: 1,
      maxLength: 6,
    })
    .map(parts => {
      const sets: WrittenRange[][] = []
      for (const [i, { bits, cut, opensSet }] of parts.entries()) {
        const range = writtenRange(family, { block: i, bits, cut })
        if (i === 0 || opensSet) sets.push([range])
        else sets.at(-1)!.push(range)
      }
      return sets
    })
}

interface Cut {
  readonly start: number
  readonly end: number
  readonly gateway: number
}

const part = fc.double({ min: 0, max: 1, noNaN: true })
const cutting = fc.option(fc.record({ start: part, end: part, gateway: part }), { nil: undefined })

/** The parts of one are where in the subnet each address is. */
function writtenRange(
  family: Family,
  { block, bits, cut }: { readonly block: number; readonly bits: number; readonly cut: Cut | undefined },
): WrittenRange {
  const base = (family === 'ipv4' ? 0x0a_00_00_00n : 0xfd00n << 112n) + BigInt(block) * 64n
  const subnet = `${addressFromNumber(family, base)}/${(family === 'ipv4' ? 32 : 128) - bits}`
  if (cut === undefined) return { subnet }
  const at = (part: number) => addressFromNumber(family, base + BigInt(Math.round(part * (2 ** bits - 1))))
  return {
    subnet,
    rangeStart: at(Math.min(cut.start, cut.end)),
    rangeEnd: at(Math.max(cut.start, cut.end)),
    gateway: at(cut.gateway),
  }
}

/** Each address of a set that a pod may get, counted one by one: what the spans are compared with. */
export function everyAddress(set: RangeSet, sets: readonly RangeSet[]): readonly bigint[] {
  const gateways = sets.flat().map(range => addressNumber(range.gateway))
  return set.flatMap(({ subnet, start, end }) => {
    const family = cidrFamily(parseCidr(subnet)!)
    const base = addressNumber(baseAddress(subnet))
    const last = base + (1n << BigInt((family === 'ipv4' ? 32 : 128) - prefixLength(subnet))) - 1n
    const numbers: bigint[] = []
    for (let n = addressNumber(start); n <= addressNumber(end); n++) {
      const isReserved = n === base || (family === 'ipv4' && n === last) || gateways.includes(n)
      if (!isReserved) numbers.push(n)
    }
    return numbers
  })
}
