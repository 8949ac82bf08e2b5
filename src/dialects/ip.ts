import { type Address, type Family, familyOf, parseAddress } from '../values/address.ts'

// What `ip -json address` prints → the node's own addresses.

export const LIST_ADDRESSES = ['ip', '-json', 'address', 'show'] as const

/** Prints a line whenever an address comes or goes. */
export const MONITOR_ADDRESSES = ['ip', '-oneline', 'monitor', 'address'] as const

/** Sorted, without link-local IPv6: nobody connects to a node port through one. */
export function addressesOf(json: string, family: Family): readonly Address[] {
  const links = JSON.parse(json === '' ? '[]' : json) as readonly Link[]
  const found = links.flatMap(link => link.addr_info ?? []).filter(({ scope }) => scope !== 'link')
  const addresses = found.map(({ local }) => parseAddress(local)).filter(address => address !== undefined)
  return [...new Set(addresses)].filter(address => familyOf(address) === family).sort()
}

/** The fields of interest; older versions print an empty object for an interface that has no address. */
interface Link {
  readonly addr_info?: readonly { readonly local?: string; readonly scope?: string }[]
}
