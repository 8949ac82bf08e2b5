import type { SetStatus } from '#ipam/leases/lease-view.ts'
import { commonRanges, rangesText } from '#ipam/ranges/range-bounds.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { aligned } from '#ipam/table/aligned.ts'
import { freeOf, fullness, NEARLY_FULL } from '#ipam/table/fullness.ts'
import { FAMILIES, FAMILY_LABEL } from '#values/address.ts'
import { cidrFamily } from '#values/cidr.ts'
import { roundedDuration } from '#values/duration.ts'

// The usage of all sets → a line each, with what is to be watched; or JSON.

const TITLES = ['NETWORK', 'RANGE', 'SIZE', 'USED', 'COOLING', 'ELSEWHERE', 'FREE', 'FULL', 'OLDEST', 'LAST GIVEN']

export function statusTable(sets: readonly SetStatus[], now: number): string {
  const lines = sets.map(set => [
    ...[set.network, subnetsText(set.ranges), ...countCells([set]), `${fullness(set.usage)}%`],
    ...[set.since === undefined ? '<none>' : roundedDuration(Math.max(0, now - set.since)), set.given ?? '<none>'],
  ])
  return [...aligned([TITLES, ...lines, ...totals(sets)]), ...full(sets), ...common(sets)].join('\n')
}

export function isNearlyFull(sets: readonly SetStatus[]): boolean {
  return sets.some(({ usage }) => fullness(usage) >= NEARLY_FULL)
}

export function subnetsText(ranges: RangeSet): string {
  return ranges.map(({ subnet }) => subnet).join('+')
}

function countCells(sets: readonly SetStatus[]): readonly string[] {
  const usages = sets.map(({ usage }) => usage)
  const sum = (numbers: readonly (bigint | number)[]) => String(numbers.reduce<bigint>((a, b) => a + BigInt(b), 0n))
  return [
    sum(usages.map(({ size }) => size)),
    sum(usages.map(({ assigned }) => assigned)),
    sum(usages.map(({ cooling }) => cooling)),
    sum(usages.map(({ elsewhere }) => elsewhere)),
    sum(usages.map(freeOf)),
  ]
}

/** By family, where there is something to add up: millions of free IPv6 addresses do not help a pod without an IPv4 one. */
function totals(sets: readonly SetStatus[]): readonly (readonly string[])[] {
  return FAMILIES.flatMap(family => {
    const all = sets.filter(({ ranges: [{ subnet }] }) => cidrFamily(subnet) === family)
    return all.length > 1 ? [[`total ${FAMILY_LABEL[family]}`, '', ...countCells(all), '', '', '']] : []
  })
}

function full(sets: readonly SetStatus[]): readonly string[] {
  return sets
    .filter(({ usage }) => fullness(usage) >= NEARLY_FULL)
    .map(({ network, ranges, usage }) => {
      const free = freeOf(usage)
      return `${network}: ${free === 0n ? 'no address' : free === 1n ? '1 address' : `${free} addresses`} of ${rangesText(ranges)} free`
    })
}

/** Networks that are not apart share what they have in common. */
function common(sets: readonly SetStatus[]): readonly string[] {
  const networks = [
    ...Map.groupBy(
      sets.filter(({ overlap }) => overlap === 'refuse'),
      ({ network }) => network,
    ),
  ]
  return networks.flatMap(([a, of], i) =>
    networks.slice(i + 1).flatMap(([b, others]) => {
      const both = commonRanges(
        of.map(({ ranges }) => ranges),
        others.map(({ ranges }) => ranges),
      )
      const shared = both.map(([one, other]) => `${rangesText([one])} and ${rangesText([other])}`)
      return shared.length === 0
        ? []
        : [`${a} and ${b} have addresses in common (${shared.join(', ')}): each is given by one of them`]
    }),
  )
}

/** `ring`: what is shown of the ring, where this node takes part in one. */
export function statusJson(sets: readonly SetStatus[], ring?: object): string {
  const shown = sets.map(({ network, set, ranges, overlap, usage, given, since }) => ({
    ...{ network, set, ranges, overlap, size: whole(usage.size), used: usage.assigned, cooling: usage.cooling },
    ...{ elsewhere: usage.elsewhere, free: whole(freeOf(usage)), full: fullness(usage) },
    ...{ oldest: since === undefined ? undefined : new Date(since).toISOString(), lastGiven: given },
  }))
  return JSON.stringify({ sets: shown, ring }, undefined, 2)
}

/** As text where a double cannot hold every digit. */
function whole(value: bigint): number | string {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)
}
