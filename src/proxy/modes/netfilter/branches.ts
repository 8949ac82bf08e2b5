import { jump } from '#dialects/iptables.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import { type Cidr, prefixOf } from '#values/cidr.ts'
import type { ChainLines } from './chain-lines.ts'

// An address → the chain for its rules in a tree: a packet is compared with a few dozen rules instead of all, and a new Service
// rewrites a few small chains instead of one that has every Service. Where no rule matches, the packet returns.

export interface Tree {
  readonly root: string
  /** The chain of the addresses that share a prefix. */
  branch(prefix: Cidr, depth: number): string
}

/** Adds the jumps from the root down to the address's branch, and returns the last chain. */
export function addBranch(ip: Address, { root, branch }: Tree, lines: ChainLines): string {
  return BRANCHES[familyOf(ip)].reduce((chain, bits, i) => {
    const prefix = prefixOf(ip, bits)
    const next = branch(prefix, i + 1)
    lines.add('nat', chain, '-d', prefix, jump(next))
    return next
  }, root)
}

/** Service ranges are /12 to /24, and /108 to /120: each step divides the remaining addresses by 16 or so. */
const BRANCHES: Readonly<Record<Family, readonly number[]>> = { ipv4: [16, 20, 24], ipv6: [112, 116, 120] }
