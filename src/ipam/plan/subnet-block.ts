import { ADDRESS_BITS, type Address, addressFromNumber, addressNumber } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, prefixLength } from '#values/cidr.ts'
import { addressKind } from './address-kind.ts'

// A subnet → its bounds in the lines of `ipcalc -b`, which people know and scripts read.

/** As it was written: `10.19.9.9/24` is an address and the subnet around it. */
export interface WrittenSubnet {
  readonly address: Address
  readonly subnet: Cidr
}

export function subnetBlock({ address, subnet }: WrittenSubnet): string {
  const family = cidrFamily(subnet)
  const bits = prefixLength(subnet)
  const base = addressNumber(baseAddress(subnet))
  const wildcard = (1n << BigInt(ADDRESS_BITS[family] - bits)) - 1n
  const netmask = (1n << BigInt(ADDRESS_BITS[family])) - 1n - wildcard
  const text = (value: bigint): Address => addressFromNumber(family, value)
  const { rows, hosts } = boundsOf(subnet, base, wildcard)
  return [
    row('Address', address),
    row('Netmask', `${text(netmask)} = ${bits}`),
    row('Wildcard', text(wildcard)),
    '=>',
    ...rows.map(([label, value]) => row(label, typeof value === 'bigint' ? text(value) : value)),
    countRow('Hosts/Net', hosts, addressKind(subnet)),
  ].join('\n')
}

interface Bounds {
  readonly rows: readonly (readonly [label: string, value: bigint | string])[]
  readonly hosts: bigint
}

/** Two addresses are a link of two ends, one is a route. IPv6 has no broadcast address. */
function boundsOf(subnet: Cidr, base: bigint, wildcard: bigint): Bounds {
  if (wildcard === 0n) return { rows: [['Hostroute', base]], hosts: 1n }
  const hasBroadcast = cidrFamily(subnet) === 'ipv4' && wildcard > 1n
  const first = wildcard > 1n ? base + 1n : base
  const last = hasBroadcast ? base + wildcard - 1n : base + wildcard
  return {
    rows: [
      ['Network', subnet],
      ['HostMin', first],
      ['HostMax', last],
      ...(hasBroadcast ? [['Broadcast', base + wildcard] as const] : []),
    ],
    hosts: last - first + 1n,
  }
}

function row(label: string, value: string): string {
  return `${`${label}:`.padEnd(11)}${value.padEnd(21)}`
}

/** A number, and what is to be said of it. */
export function countRow(label: string, count: bigint, text: string): string {
  return `${`${label}:`.padEnd(11)}${String(count).padEnd(21)} ${text}`.trimEnd()
}
