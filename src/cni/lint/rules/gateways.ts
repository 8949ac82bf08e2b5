import { familyOf, parseAddress } from '#values/address.ts'
import { type Cidr, cidrFamily, contains, parseCidr } from '#values/cidr.ts'
import { memberOf, type ObjectNode, textAt } from '../json/node.ts'
import { below, type Place } from '../keys/check-keys.ts'

// The ranges of an `ipam` → gateways that none of their pods has on its link.

/** On every link, whatever the subnet. */
const LINK_LOCAL = 'fe80::/10' as Cidr

export function checkGateways(ipam: ObjectNode, place: Place): void {
  checkGateway(ipam, place)
  const sets = memberOf(ipam, 'ranges')?.value
  if (sets?.kind !== 'list') return
  for (const [i, set] of sets.items.entries()) {
    if (set.kind !== 'list') continue
    for (const [j, range] of set.items.entries())
      if (range.kind === 'object') checkGateway(range, { ...place, path: below(place.path, `ranges[${i}][${j}]`) })
  }
}

/** What is no subnet or no address has been named already. */
function checkGateway(range: ObjectNode, { findings, path }: Place): void {
  const subnet = parseCidr(textAt(range, 'subnet'))
  const gateway = parseAddress(textAt(range, 'gateway'))
  // One of the other family is refused with the range.
  if (subnet === undefined || gateway === undefined || cidrFamily(subnet) !== familyOf(gateway)) return
  if (contains(subnet, gateway) || contains(LINK_LOCAL, gateway)) return
  const full = below(path, 'gateway')
  const why = 'so pods reach it only with a route of their own; most likely another address is meant'
  findings.doubt(
    memberOf(range, 'gateway')!.value.at,
    full,
    `${full}: ${gateway} is not in the subnet ${subnet}, ${why}`,
  )
}
