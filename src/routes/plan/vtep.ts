import { hash } from 'node:crypto'
import { type Address, familyOf } from '#values/address.ts'

// The end of the overlay on a node → its hardware address, and how much its packets carry.

/**
 * Made of the node's name, so that every node knows those of all others without asking: no annotation is written or waited
 * for, none can be wrong, and a node that is made anew under its name has the one that the others know. Of 5,000 nodes, two
 * have the same with a chance of one in five million.
 */
export function vtepMac(node: string): string {
  const bytes = Buffer.from(hash('sha256', `switchyard ${node}`, 'hex').slice(0, 12), 'hex')
  // Not a manufacturer's, and of one host.
  bytes[0] = (bytes[0]! & 0xfc) | 2
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(':')
}

/** The inner Ethernet header, VXLAN's and UDP's, and that of the outer IP: 14 + 8 + 8, and 20 or 40. */
const OVERHEAD = { ipv4: 50, ipv6: 70 } as const

export function overlayMtu(underlayMtu: number, local: Address): number {
  return underlayMtu - OVERHEAD[familyOf(local)]
}
