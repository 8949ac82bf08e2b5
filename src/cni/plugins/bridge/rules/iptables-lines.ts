import { comment, jump } from '#dialects/iptables.ts'
import { rule } from '#dialects/words.ts'
import type { Holder } from '#ipam/leases/lease-book.ts'
import type { AddressWithPrefix } from '#system/network/network.ts'
import { type Address, type Family, familyOf, parseAddress } from '#values/address.ts'
import { hostCidr, prefixOf } from '#values/cidr.ts'
import { iptablesComment, ownChain } from './names.ts'

// The addresses of one interface ⇄ lines of the nat table, as iptables-save prints them.

/** Pods of one link hear each other's multicasts with the sender's own address. */
const MULTICAST: Readonly<Record<Family, string>> = { ipv4: '224.0.0.0/4', ipv6: 'ff00::/8' }

/** Addresses of one family. What the chain had before, it has no more. */
export function masqueradeLines(holder: Holder, addresses: readonly AddressWithPrefix[]): readonly string[] {
  const [first] = addresses
  if (first === undefined) return []
  const [chain, said] = [ownChain(holder), comment(iptablesComment(holder))]
  const append = (to: string, ...rest: readonly string[]): string => rule('-A', to, ...rest)
  const ranges = [...new Set(addresses.map(({ address, prefixLength }) => prefixOf(address, prefixLength)))]
  return [
    `:${chain} - [0:0]`,
    ...ranges.map(range => append(chain, `-d ${range}`, said, jump('ACCEPT'))),
    append(chain, `! -d ${MULTICAST[familyOf(first.address)]}`, said, jump('MASQUERADE')),
    ...addresses.map(({ address }) => append('POSTROUTING', `-s ${hostCidr(address)}`, said, jump(chain))),
  ]
}

/** A rule of POSTROUTING that sends the packets of one address through a chain of ours or the reference's. */
export interface Jump {
  readonly line: string
  readonly source: Address
  readonly chain: string
}

export function jumpsIn(listing: string): readonly Jump[] {
  return listing.split('\n').flatMap(line => {
    const [, source, chain] =
      /^-A POSTROUTING -s ([^\s/]+)(?:\/\d+)? .*-j (CNI-[0-9a-f]{24})$/.exec(line.trimEnd()) ?? []
    const address = parseAddress(source)
    return address === undefined || chain === undefined ? [] : [{ line: line.trimEnd(), source: address, chain }]
  })
}

/** A chain goes with the last rule that leads to it, among all of them. */
export function removalLines(gone: readonly Jump[], all: readonly Jump[]): readonly string[] {
  const left = new Set(all.filter(one => !gone.includes(one)).map(({ chain }) => chain))
  const chains = [...new Set(gone.map(({ chain }) => chain))].filter(chain => !left.has(chain))
  return [
    ...gone.map(({ line }) => line.replace(/^-A/, '-D')),
    ...chains.map(chain => `-F ${chain}`),
    ...chains.map(chain => `-X ${chain}`),
  ]
}
