import type { Lease } from '#ipam/leases/lease-book.ts'
import type { PastLease } from '#ipam/leases/records/history-rows.ts'
import { aligned } from '#ipam/table/aligned.ts'
import { roundedDuration } from '#values/duration.ts'
import { shownMoment } from '#values/moment.ts'
import { type AddressFacts, type AddressPlace, holdersAt, placesOf } from './who.ts'

// Who has an address, or had it → lines for the operator.

export function whoText(facts: AddressFacts): string {
  if (facts.at !== undefined) return thenText(facts, facts.at)
  const places = placesOf(facts)
  const now = places.length === 0 ? [nowhereText(facts)] : places.flatMap(place => placeLines(place, facts))
  return [...now, ...historyLines(facts)].join('\n')
}

function placeLines({ network, row }: AddressPlace, { address, now }: AddressFacts): readonly string[] {
  const { status, lease, reason } = row
  const place = `${address}: ${status} in network ${network.network}`
  if (lease === undefined) return [reason === undefined ? place : `${place}: ${reason}`]
  const outside = row.isOutside ? ', outside of its ranges' : ''
  const because = reason === undefined ? '' : ` (${reason})`
  if (lease.until === undefined) {
    return [`${place}${outside}, to ${holderText(lease)}${because}`, ...leaseLines(lease, now)]
  }
  const left = roundedDuration(Math.max(0, lease.until - now))
  return [`${place}${outside}, for ${left} more, after ${holderText(lease)}${because}`]
}

function leaseLines(lease: Lease, now: number): readonly string[] {
  const { container, ifname, netns, namespaceId, uid, at } = lease
  const namespace = [netns, namespaceId && `(${namespaceId})`].filter(Boolean).join(' ')
  const facts: readonly (readonly [string, string])[] = [
    ['container', container],
    ['interface', ifname],
    ['namespace', namespace],
    ['uid', uid ?? ''],
    ['since', `${shownMoment(at)}, for ${roundedDuration(Math.max(0, now - at))}`],
  ]
  return aligned(facts.filter(([, value]) => value !== '')).map(line => `  ${line}`)
}

function nowhereText({ address, networks }: AddressFacts): string {
  const ranges = networks.map(({ network, sets }) => {
    const subnets = sets.flatMap(set => set.map(({ subnet }) => subnet)).join(', ')
    return `${network} ${subnets === '' ? '(ranges unknown)' : subnets}`
  })
  return `${address}: in no range of a network of this node (${ranges.join('; ') || 'there is none'})`
}

/** More are in the JSON. */
const SHOWN = 10

function historyLines({ holders, historyStart }: AddressFacts): readonly string[] {
  const past = holders.filter(({ ended }) => ended !== undefined)
  const shown = past.slice(0, SHOWN)
  const rows = shown.map(one => [
    ...[shownMoment(one.at), shownMoment(one.ended!), one.pod ?? '<none>', one.container],
    ...[one.ifname || '<none>', one.network, one.why ?? '<none>'],
  ])
  const more = past.length > SHOWN ? [`and ${past.length - SHOWN} before that: -o json lists all of them`] : []
  return [
    ...(rows.length === 0 ? [] : ['', 'Before:']),
    ...(rows.length === 0
      ? []
      : aligned([['SINCE', 'UNTIL', 'POD', 'CONTAINER', 'IFNAME', 'NETWORK', 'ENDED BY'], ...rows])),
    ...more,
    ...(historyStart === undefined ? [] : [forgottenText(historyStart)]),
  ]
}

function thenText(facts: AddressFacts, at: number): string {
  const { address, historyStart } = facts
  const then = holdersAt(facts, at).map(
    holder => `${address} at ${shownMoment(at)}: ${holderText(holder)}, ${spanText(holder)}`,
  )
  if (then.length > 0) return then.join('\n')
  const forgotten = historyStart !== undefined && at < historyStart ? `; ${forgottenText(historyStart)}` : ''
  return `${address} at ${shownMoment(at)}: no pod had it${forgotten}`
}

function spanText({ network, at, ended, why }: PastLease): string {
  const from = `in network ${network} from ${shownMoment(at)}`
  return ended === undefined ? `${from} until now` : `${from} to ${shownMoment(ended)} (${why})`
}

function forgottenText(historyStart: number): string {
  return `what ended before ${shownMoment(historyStart)} is no longer known`
}

function holderText({ pod, container, ifname }: Pick<Lease, 'pod' | 'container' | 'ifname'>): string {
  const held = ifname === '' ? `container ${container}` : `container ${container} ${ifname}`
  return pod === undefined ? held : `${pod} (${held})`
}
