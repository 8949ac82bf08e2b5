import { addressNumber } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, contains, overlaps, prefixLength } from '#values/cidr.ts'

// A subnet → the kind of its addresses, in the words of ipcalc.

/** The first that fits counts. */
const BLOCKS: readonly (readonly [Cidr, string])[] = [
  ['192.168.0.0/16' as Cidr, 'Private Internet'],
  ['172.16.0.0/12' as Cidr, 'Private Internet'],
  ['10.0.0.0/8' as Cidr, 'Private Internet'],
  ['169.254.0.0/16' as Cidr, 'APIPA'],
  ['127.0.0.0/8' as Cidr, 'Loopback'],
  ['224.0.0.0/4' as Cidr, 'Multicast'],
  ['2001:db8::/32' as Cidr, 'Documentation'],
  ['fc00::/7' as Cidr, 'Unique Local'],
  ['fe80::/10' as Cidr, 'Link-Local'],
  ['ff00::/8' as Cidr, 'Multicast'],
  ['2000::/3' as Cidr, 'Global Unicast'],
]

export function addressKind(subnet: Cidr): string {
  const isPair = cidrFamily(subnet) === 'ipv4' && prefixLength(subnet) === 31
  const kinds = [classOf(subnet), blockOf(subnet), isPair && 'PtP Link RFC 3021']
  return kinds.filter(kind => typeof kind === 'string').join(', ')
}

/** By how many ones an IPv4 address begins with. */
function classOf(subnet: Cidr): string | undefined {
  if (cidrFamily(subnet) === 'ipv6') return undefined
  const ones = /^1*/.exec(addressNumber(baseAddress(subnet)).toString(2).padStart(32, '0'))![0].length
  return `Class ${['A', 'B', 'C', 'D', 'E'][ones] ?? 'invalid'}`
}

function blockOf(subnet: Cidr): string | undefined {
  const block = BLOCKS.find(([one]) => cidrFamily(one) === cidrFamily(subnet) && overlaps(one, subnet))
  if (block === undefined) return undefined
  const [around, name] = block
  const isInside = contains(around, baseAddress(subnet)) && prefixLength(around) <= prefixLength(subnet)
  return isInside ? name : `In Part ${name}`
}
