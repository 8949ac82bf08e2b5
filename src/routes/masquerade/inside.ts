import { ADDRESS_BITS, addressNumber, FAMILIES, type Family } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, contains, prefixLength, prefixOf } from '#values/cidr.ts'

// What the settings say of the cluster's ranges, and those of all nodes → the ranges that are not outside.

/** In a family of which nothing is said, it is what the nodes have. */
export function insideRanges(said: readonly Cidr[], ofNodes: readonly Cidr[]): readonly Cidr[] {
  const silent = (family: Family) => !said.some(range => cidrFamily(range) === family)
  const rest = FAMILIES.filter(silent).flatMap(family => joined(ofNodes.filter(range => cidrFamily(range) === family)))
  return [...said, ...rest]
}

/** The fewest ranges with the same addresses: of a cluster whose nodes have got theirs in turn, those are few. */
export function joined(ranges: readonly Cidr[]): readonly Cidr[] {
  const kept: Cidr[] = []
  for (const range of ranges.toSorted(inOrder)) {
    const last = kept.at(-1)
    if (last !== undefined && contains(last, baseAddress(range))) continue
    kept.push(range)
    while (kept.length > 1) {
      const both = parentOf(kept.at(-2)!, kept.at(-1)!)
      if (both === undefined) break
      kept.splice(-2, 2, both)
    }
  }
  return kept
}

function inOrder(a: Cidr, b: Cidr): number {
  const [first, second] = [addressNumber(baseAddress(a)), addressNumber(baseAddress(b))]
  if (first !== second) return first < second ? -1 : 1
  return prefixLength(a) - prefixLength(b)
}

/** Of two halves; undefined where they are no halves of one range. */
function parentOf(low: Cidr, high: Cidr): Cidr | undefined {
  const bits = prefixLength(low)
  if (bits === 0 || bits !== prefixLength(high)) return undefined
  const size = 1n << BigInt(ADDRESS_BITS[cidrFamily(low)] - bits)
  if (addressNumber(baseAddress(low)) + size !== addressNumber(baseAddress(high))) return undefined
  const parent = prefixOf(baseAddress(low), bits - 1)
  return baseAddress(parent) === baseAddress(low) ? parent : undefined
}
