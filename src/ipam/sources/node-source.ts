import { usableBounds } from '#ipam/ranges/range-bounds.ts'
import type { AddressRange, RangeSet } from '#ipam/ranges/range-set.ts'
import type { Node } from '#kubernetes/objects.ts'
import { ADDRESS_BITS, addressFromNumber } from '#values/address.ts'
import { type Cidr, cidrFamily, prefixLength } from '#values/cidr.ts'
import type { AddressStretch, MyRanges, RangeSource, RangesMemory } from './range-source.ts'

// Node.spec.podCIDRs → the ranges of this node: one of each family, given once and for as long as the Node object is there.

export interface NodeSourceParts {
  readonly nodeName: string
  /** Undefined where there is no Node of this name. */
  readonly read: () => Promise<Pick<Node, 'podCIDRs'> | undefined>
  readonly memory: Pick<RangesMemory, 'load' | 'save'>
}

export function nodeSource({ nodeName, read, memory }: NodeSourceParts): RangeSource {
  const mine = (): MyRanges => {
    const known = memory.load()
    if (known?.source === 'node') return known
    return { sets: [], why: `Node ${nodeName} was not read yet` }
  }
  return {
    name: 'node',
    mine,
    async refresh() {
      const node = await read()
      const [before, next] = [mine().sets, mineOf(nodeName, node?.podCIDRs)]
      const known = memory.load()
      const isSame = known?.source === 'node' && known.why === next.why && same(known.sets, next.sets)
      if (!isSame) memory.save({ source: 'node', record: '{}', ...next })
      return { gained: without(next.sets, before), lost: without(before, next.sets) }
    },
    more: async () => 'never',
    takeBack: async () => [],
  }
}

function mineOf(nodeName: string, podCIDRs: readonly Cidr[] | undefined): MyRanges {
  if (podCIDRs === undefined) {
    return { sets: [], why: `there is no Node ${nodeName}: kubelet makes it, or --hostname-override names another` }
  }
  if (podCIDRs.length === 0) {
    return {
      sets: [],
      why: `Node ${nodeName} has no spec.podCIDRs yet: kube-controller-manager --allocate-node-cidrs, or "switchyard ranges controller", sets them`,
    }
  }
  const sets = podCIDRs.filter(hasRoom).map((cidr): RangeSet => [rangeOf(cidr)])
  return { sets, why: sets.length > 0 ? '' : `${podCIDRs.join(' and ')} of Node ${nodeName} have no room for a pod` }
}

/** The network's address, a gateway, a pod, and in IPv4 the broadcast address. */
function hasRoom(cidr: Cidr): boolean {
  return prefixLength(cidr) <= ADDRESS_BITS[cidrFamily(cidr)] - 2
}

/** As host-local has it where a configuration names the subnet alone. */
function rangeOf(subnet: Cidr): AddressRange {
  const [{ first, last }, family] = [usableBounds(subnet), cidrFamily(subnet)]
  const start = addressFromNumber(family, first)
  return { subnet, start, end: addressFromNumber(family, last), gateway: start }
}

function without(sets: readonly RangeSet[], others: readonly RangeSet[]): readonly AddressStretch[] {
  const known = new Set(others.flat().map(({ subnet }) => subnet))
  return sets
    .flat()
    .filter(({ subnet }) => !known.has(subnet))
    .map(({ start, end }) => ({ first: start, last: end }))
}

function same(a: readonly RangeSet[], b: readonly RangeSet[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
