import type { Command } from '#system/ports.ts'
import { ADDRESS_BITS, type Address, type Family, hostPort } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, prefixLength } from '#values/cidr.ts'
import type { Protocol } from '#values/protocol.ts'
import { inputOf } from './lines.ts'
import { rule } from './words.ts'

// The words of nft, in one spelling for each thing that can be said. `nft -j` prints what the kernel has as a tree, and
// nft-tree.ts says that tree in these same words, so comparing what is wanted with what is there is comparing text.

export const NFT_VERSION: Command = { does: 'other', argv: ['nft', '--version'] }

/** Of all families, one a line. */
export const LIST_TABLES: Command = { does: 'look', argv: ['nft', 'list', 'tables'] }

/** Of all tables, without their rules. */
export const LIST_CHAINS: Command = { does: 'look', argv: ['nft', '-j', 'list', 'chains'] }

/** Fails where nft was built without JSON. */
export function listTablesAsJson(family: Family): Command {
  return { does: 'look', family, argv: ['nft', '-j', 'list', 'tables', FAMILY_WORDS[family].ip] }
}

export function listTable(family: Family, table: string): Command {
  return { does: 'look', family, argv: ['nft', '-j', 'list', 'table', FAMILY_WORDS[family].ip, table] }
}

/** As text, each rule with the handle by which it is deleted. */
export function listChainWithHandles(family: Family, table: string, chain: string): Command {
  return { does: 'look', family, argv: ['nft', '-a', 'list', 'chain', FAMILY_WORDS[family].ip, table, chain] }
}

/** All tables of a family, without elements: these are not even read. */
export function listWithoutElements(family: Family): Command {
  return { does: 'look', family, argv: ['nft', '-j', '-t', 'list', 'ruleset', FAMILY_WORDS[family].ip] }
}

/** One transaction: all lines or none. */
export function applyLines(lines: readonly string[], family?: Family): Command {
  return { does: 'write', ...(family && { family }), argv: ['nft', '-f', '-'], input: inputOf(lines) }
}

/** Whether the kernel would take these lines; nothing is changed. */
export function checkLines(lines: readonly string[], family: Family): Command {
  return { does: 'other', family, argv: ['nft', '--check', '-f', '-'], input: inputOf(lines) }
}

/** What the two families call the same things. */
export interface FamilyWords {
  /** The family of the table, and of addresses in rules. */
  readonly ip: 'ip' | 'ip6'
  readonly saddr: 'ip saddr' | 'ip6 saddr'
  readonly daddr: 'ip daddr' | 'ip6 daddr'
  readonly addressType: 'ipv4_addr' | 'ipv6_addr'
  readonly loopback: '127.0.0.0/8' | '::1'
}

export const FAMILY_WORDS: Readonly<Record<Family, FamilyWords>> = {
  ipv4: { ip: 'ip', saddr: 'ip saddr', daddr: 'ip daddr', addressType: 'ipv4_addr', loopback: '127.0.0.0/8' },
  ipv6: { ip: 'ip6', saddr: 'ip6 saddr', daddr: 'ip6 daddr', addressType: 'ipv6_addr', loopback: '::1' },
}

export const L4PROTO = 'meta l4proto'
/** The port, whatever the protocol. */
export const ANY_DPORT = 'th dport'

/** The port in packets of this protocol; packets of others do not match. */
export function dport(protocol: Protocol): string {
  return `${protocol} dport`
}

export function concat(...parts: readonly (string | number)[]): string {
  return parts.join(' . ')
}

/** A single address stands without its prefix length, because that is how nft says it. */
export function range(cidr: Cidr): string {
  return prefixLength(cidr) === ADDRESS_BITS[cidrFamily(cidr)] ? baseAddress(cidr) : cidr
}

export function oneOf(n: number): string {
  return `numgen random mod ${n}`
}

/** `{ a , b }`: the elements of a statement, or of a choice inside a rule. */
export function braces(items: readonly string[]): string {
  return `{ ${items.join(' , ')} }`
}

export function setMark(mark: number): string {
  return `meta mark set meta mark | ${hexMark(mark)}`
}

/** For a packet that is known to carry it. */
export function clearMark(mark: number): string {
  return `meta mark set meta mark ^ ${hexMark(mark)}`
}

export function marked(mark: number): string {
  return `meta mark & ${hexMark(mark)} != 0`
}

/** Without `fully-random` two clients that use the same source port could race for one port of the node. */
export const MASQUERADE = 'masquerade fully-random'

/** One destination, for one protocol: nft wants to know whose port it is given. */
export function dnatTo(protocol: Protocol, ip: Address, port: number): string {
  return `${L4PROTO} ${protocol} dnat to ${hostPort(ip, port)}`
}

/** A destination that is looked up; `found` yields an address and a port. */
export function dnatBy(family: Family, found: string): string {
  return `dnat ${FAMILY_WORDS[family].ip} to ${found}`
}

/** Remembers the sender. The time stands here and not in the set: a set cannot be changed where it stands. */
export function remember(family: Family, set: string, seconds: number): string {
  return `update @${set} { ${FAMILY_WORDS[family].saddr} timeout ${seconds}s }`
}

/** nft refuses the whole document over a longer one. */
const COMMENT_CHARACTERS = 127

export function comment(text: string): string {
  const kept = text.length > COMMENT_CHARACTERS ? `${text.slice(0, COMMENT_CHARACTERS - 3)}...` : text
  return `comment "${kept}"`
}

export interface Hook {
  readonly type: string
  readonly hook: string
  readonly priority: number
  readonly policy: string
}

/** The first line of a base chain's text; its rules follow. */
export function hookLine({ type, hook, priority, policy }: Hook): string {
  return rule('type', type, 'hook', hook, 'priority', priority, '; policy', policy)
}

export function isHookLine(line: string): boolean {
  return line.startsWith('type ')
}

export function hexMark(mark: number): string {
  return `0x${(mark >>> 0).toString(16)}`
}
