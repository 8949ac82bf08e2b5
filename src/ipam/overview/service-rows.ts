import { type Bands, clusterIPBands, nodePortBands } from '#ipam/services/bands.ts'
import { ADDRESS_BITS, addressFromNumber, addressNumber } from '#values/address.ts'
import { type Cidr, cidrFamily } from '#values/cidr.ts'
import { type ClusterFacts, oldestIn } from './cluster-facts.ts'
import { fillEstimate } from './fill-estimate.ts'
import { type FreeSpace, freeSpace, type Stretch } from './free-space.ts'
import type { RangeRow } from './range-rows.ts'

// The ranges of Services: cluster IPs and node ports, each with its bands. The dynamic band is what a Service gets that asks for
// nothing; when it is full, the static one is given, too.

export function serviceRows(facts: ClusterFacts, now: number): readonly RangeRow[] {
  return [...facts.serviceCIDRs.cidrs.flatMap(cidr => clusterIPRows(facts, cidr, now)), ...portRows(facts, now)]
}

interface Taken {
  readonly value: bigint
  readonly created: number | undefined
}

function clusterIPRows(facts: ClusterFacts, cidr: Cidr, now: number): readonly RangeRow[] {
  const family = cidrFamily(cidr)
  const taken = new Map<string, Taken>()
  for (const { address } of facts.addresses ?? [])
    taken.set(address, { value: addressNumber(address), created: undefined })
  for (const { clusterIPs, created } of facts.services)
    for (const ip of clusterIPs) taken.set(ip, { value: addressNumber(ip), created })
  const own = [...taken].filter(([ip]) => ip.includes(':') === (family === 'ipv6')).map(([, one]) => one)
  const text = (value: bigint): string => addressFromNumber(family, value)
  return bandedRows(own, {
    ...{ kind: 'services', range: cidr, unit: 'cluster IPs', from: facts.serviceCIDRs.from },
    ...{
      bands: clusterIPBands(cidr),
      since: oldestIn(facts),
      now,
      stretchText: ({ first, last }) => `${text(first)}-${text(last)}`,
    },
    largest: ({ block }) => block && `${text(block.base)}/${ADDRESS_BITS[family] - block.bits}`,
  })
}

function portRows(facts: ClusterFacts, now: number): readonly RangeRow[] {
  const taken = facts.services.flatMap(({ nodePorts, created }) =>
    nodePorts.map(port => ({ value: BigInt(port), created })),
  )
  const stretchText = ({ first, last }: Stretch): string => (first === last ? String(first) : `${first}-${last}`)
  const { nodePorts } = facts
  return bandedRows(taken, {
    ...{ kind: 'node-ports', range: `${nodePorts.first}-${nodePorts.last}`, unit: 'ports' },
    ...{
      bands: nodePortBands(nodePorts),
      since: oldestIn(facts),
      now,
      stretchText,
      largest: ({ longest }) => longest && stretchText(longest),
    },
  })
}

interface BandedRange extends Pick<RangeRow, 'kind' | 'range' | 'unit' | 'from'> {
  readonly bands: Bands
  readonly since: number | undefined
  readonly now: number
  readonly stretchText: (stretch: Stretch) => string
  readonly largest: (space: FreeSpace) => string | undefined
}

function bandedRows(
  taken: readonly Taken[],
  { bands, since, now, stretchText, largest, ...about }: BandedRange,
): readonly RangeRow[] {
  const stretches = taken.map(({ value }) => ({ first: value, last: value }))
  const row = (part: Stretch, named: Pick<RangeRow, 'kind' | 'name' | 'range'>): RangeRow => {
    const space = freeSpace(part, stretches)
    const created = taken.filter(({ value }) => value >= part.first && value <= part.last).map(one => one.created)
    // A /32 has neither a first nor a last address that could be given.
    const size = part.last < part.first ? 0n : part.last - part.first + 1n
    const numbers = { size, used: size - space.free, free: space.free }
    const full = fillEstimate({ created, free: space.free, since, now })
    return { ...about, ...named, ...numbers, largestFree: largest(space), full }
  }
  const whole = row(bands, { kind: about.kind, name: '', range: about.range })
  if (bands.dynamicFrom === bands.first) return [whole]
  const band = (name: string, part: Stretch) => {
    const { from: _, ...bandRow } = row(part, { kind: 'band', name, range: stretchText(part) })
    return bandRow
  }
  return [
    whole,
    band('dynamic band', { first: bands.dynamicFrom, last: bands.last }),
    band('static band', { first: bands.first, last: bands.dynamicFrom - 1n }),
  ]
}
