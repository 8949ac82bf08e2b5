import { comment, FAMILY_WORDS, hookLine } from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { Holder } from '#ipam/leases/lease-book.ts'
import type { AddressWithPrefix } from '#system/network/network.ts'
import type { RulesetChange, SetAt } from '#system/ports.ts'
import { ADDRESS_BITS, addressNumber, type Family, familyOf } from '#values/address.ts'
import { prefixOf } from '#values/cidr.ts'
import { interfaceComment } from './names.ts'

// Addresses of pods → lines of nft: a map from each address to the chain of its range, which masquerades what leaves the range.

export const TABLE = 'switchyard_masquerade'
export const MAP = 'pods'
export const ENTRY_CHAIN = 'postrouting'

/** The table of the reference plugin, which has a rule for each address in its chain. */
export const REFERENCE = { family: 'inet', table: 'cni_plugins_masquerade', chain: 'masq_checks' } as const

const MULTICAST: Readonly<Record<Family, string>> = { ipv4: '224.0.0.0/4', ipv6: 'ff00::/8' }
/** After the chains of Services have chosen where a packet goes. */
const HOOK = hookLine({ type: 'nat', hook: 'postrouting', priority: 100, policy: 'accept' })

/** As often as it is written, it is the same. */
export function skeleton(family: Family): readonly string[] {
  const { ip, addressType, saddr, daddr } = FAMILY_WORDS[family]
  return [
    `add table ${ip} ${TABLE}`,
    `add map ${ip} ${TABLE} ${MAP} { type ${addressType} : verdict ; }`,
    `add chain ${ip} ${TABLE} ${ENTRY_CHAIN} { ${HOOK} ; }`,
    `flush chain ${ip} ${TABLE} ${ENTRY_CHAIN}`,
    `add rule ${ip} ${TABLE} ${ENTRY_CHAIN} ${daddr} ${MULTICAST[family]} return`,
    `add rule ${ip} ${TABLE} ${ENTRY_CHAIN} ${saddr} vmap @${MAP}`,
  ]
}

export function rangeChain(address: AddressWithPrefix): readonly string[] {
  const family = familyOf(address.address)
  const { ip, daddr } = FAMILY_WORDS[family]
  const [range, chain] = [prefixOf(address.address, address.prefixLength), rangeChainName(address)]
  return [
    `add chain ${ip} ${TABLE} ${chain}`,
    `flush chain ${ip} ${TABLE} ${chain}`,
    `add rule ${ip} ${TABLE} ${chain} ${daddr} != ${range} masquerade`,
  ]
}

function rangeChainName({ address, prefixLength }: AddressWithPrefix): string {
  return `from-${prefixOf(address, prefixLength)}`.replaceAll(':', '_')
}

/** Refused where the address is there already, or its range is not. */
export function addition(holder: Holder, one: AddressWithPrefix): RulesetChange {
  const family = familyOf(one.address)
  const key = Buffer.from(
    addressNumber(one.address)
      .toString(16)
      .padStart(ADDRESS_BITS[family] / 4, '0'),
    'hex',
  )
  return { do: 'add element', at: mapOf(family), key, goto: rangeChainName(one), comment: interfaceComment(holder) }
}

export function removal(family: Family, key: Buffer): RulesetChange {
  return { do: 'delete element', at: mapOf(family), key }
}

function mapOf(family: Family): SetAt {
  return { family: FAMILY_WORDS[family].ip, table: TABLE, set: MAP }
}

/** The same in the words of nft. */
export function creation(holder: Holder, one: AddressWithPrefix): string {
  const { ip } = FAMILY_WORDS[familyOf(one.address)]
  const element = rule(one.address, comment(interfaceComment(holder)), ':', 'goto', rangeChainName(one))
  return `create element ${ip} ${TABLE} ${MAP} { ${element} }`
}

export function deletion(family: Family, address: string): string {
  return `delete element ${FAMILY_WORDS[family].ip} ${TABLE} ${MAP} { ${address} }`
}
