import { addressAt, boundsOf, ownedBy, type Ring } from '#ipam/ring/ring.ts'
import type { ClusterFacts } from './cluster-facts.ts'
import type { Stretch } from './free-space.ts'
import { PodAddresses } from './pod-addresses.ts'
import type { RangeRow } from './range-rows.ts'

// The ring: the range that peers have divided among themselves, and each peer's part, which may be in several pieces.

export function ringRows({ ring, podIPs }: ClusterFacts): readonly RangeRow[] {
  if (ring === undefined) return []
  const users = new PodAddresses(podIPs)
  const { start, end } = boundsOf(ring.range)
  const whole = rowOf([{ first: BigInt(start), last: BigInt(end - 1) }], users)
  const peers = [...pieces(ring)].toSorted(([, [a]], [, [b]]) => (a!.first < b!.first ? -1 : 1))
  return [
    { ...whole, kind: 'ring', name: '', range: ring.range },
    ...peers.map(([name, parts]) => ({
      ...rowOf(parts, users),
      kind: 'peer' as const,
      name,
      range: piecesText(parts),
    })),
  ]
}

function pieces(ring: Ring): ReadonlyMap<string, readonly Stretch[]> {
  const found = new Map<string, Stretch[]>()
  ring.tokens.forEach(({ name }, i) => {
    const { start, end } = ownedBy(ring, i)
    const list = found.get(name) ?? []
    const before = list.at(-1)
    // Two tokens of one peer beside each other are one piece.
    if (before !== undefined && before.last + 1n === BigInt(start))
      list[list.length - 1] = { first: before.first, last: BigInt(end - 1) }
    else list.push({ first: BigInt(start), last: BigInt(end - 1) })
    found.set(name, list)
  })
  return found
}

function rowOf(parts: readonly Stretch[], users: PodAddresses) {
  const size = parts.reduce((sum, { first, last }) => sum + last - first + 1n, 0n)
  const spaces = parts.flatMap(part => users.spaceIn(part, 'ipv4') ?? [])
  const used = spaces.length < parts.length ? undefined : spaces.reduce((sum, space) => sum + space.used, 0n)
  const blocks = spaces.flatMap(({ block }) => block ?? [])
  const largest = blocks.toSorted((a, b) => b.bits - a.bits)[0]
  return {
    ...{ unit: 'pods', size, used, free: used === undefined ? undefined : size - used, full: undefined },
    largestFree: largest && `${addressAt(Number(largest.base))}/${32 - largest.bits}`,
  }
}

function piecesText(parts: readonly Stretch[]): string {
  const text = ({ first, last }: Stretch): string => `${addressAt(Number(first))}-${addressAt(Number(last))}`
  return parts.length === 1 ? text(parts[0]!) : `${text(parts[0]!)} and ${parts.length - 1} more`
}
