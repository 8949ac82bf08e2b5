import type { Command } from '#system/ports.ts'
import { type Address, FAMILIES, type Family } from '#values/address.ts'
import { hostCidr } from '#values/cidr.ts'
import type { Protocol } from '#values/protocol.ts'

// The words of iptables, spelled and ordered exactly as iptables-save prints them back. What is written is what is
// read, so comparing the two is comparing text.

export type Variant = 'nft' | 'legacy'

/** The programs of one family and variant; the plain names where the host has no others. */
export interface Tools {
  readonly family: Family
  readonly variant: Variant
  readonly restore: string
  readonly save: string
}

/** What a family's programs are called on a host that has both variants. */
export function named(family: Family, variant: Variant): Tools {
  return toolsNamed(`${PLAIN_NAME[family]}-${variant}`, family, variant)
}

/** On a host that has one variant alone: its programs may have no other names. */
export function plainlyNamed(family: Family, variant: Variant): Tools {
  return toolsNamed(PLAIN_NAME[family], family, variant)
}

export const PLAIN_NAME: Readonly<Record<Family, string>> = { ipv4: 'iptables', ipv6: 'ip6tables' }

function toolsNamed(name: string, family: Family, variant: Variant): Tools {
  return { family, variant, restore: `${name}-restore`, save: `${name}-save` }
}

/** `iptables-nft`: the program that lists and changes single rules, and what a person calls the three. */
export function programOf({ save }: Pick<Tools, 'save'>): string {
  return save.replace(/-save$/, '')
}

/** Of a plain name, such as `ip6tables-restore`. */
export function familyOfPlain(program: string): Family | undefined {
  return FAMILIES.find(family => ['', '-restore', '-save'].some(end => program === `${PLAIN_NAME[family]}${end}`))
}

/** A command by its plain name → the same by these programs. */
export function spokenBy(tools: Tools, command: Command): Command {
  const [program, ...words] = command.argv
  return { ...command, argv: [program.replace(PLAIN_NAME[tools.family], programOf(tools)), ...words] }
}

/** With iptables-nft, to read a hundred thousand chains takes minutes, and so does writing them. */
const PATIENCE_MS = 15 * 60_000

/** All tables. Tables are not named on purpose: naming one makes iptables-legacy create it. */
export function saveAll({ family, save }: Tools): Command {
  return { does: 'look', family, argv: [save], timeoutMs: PATIENCE_MS }
}

/** One table, which is read in a moment where it is small, however large the others are. iptables-legacy creates it. */
export function saveTable({ family, save }: Tools, table: string): Command {
  return { does: 'look', family, argv: [save, '-t', table] }
}

/** Adds what the blocks say to what is there; another program that holds the lock is waited for. */
export function restoreInto({ family, restore }: Tools, input: string): Command {
  const argv = [restore, '-w', '5', '--noflush', '--counters'] as const
  return { does: 'restore', family, argv, input, timeoutMs: PATIENCE_MS }
}

/** One chain of iptables-nft's, in 8 ms however large the others are. Ends with 1 where there is no such chain. */
export function listChain(tools: Tools, table: string, chain: string): Command {
  return { does: 'look', family: tools.family, argv: [programOf(tools), '-t', table, '-S', chain] }
}

/** What `listChain` printed, as iptables-save would have. */
export function chainAsSave(table: string, chain: string, listing: string): string {
  const rules = listing.split('\n').filter(line => line.startsWith('-A '))
  return block(table, [`:${chain} - [0:0]`, ...rules])
}

/** Ends with 0 where the chain is there; what it prints is not used. iptables-legacy creates the table. */
export function findChain(tools: Tools, table: string, chain: string): Command {
  return { does: 'other', family: tools.family, argv: [programOf(tools), '-w', '5', '-t', table, '-S', chain] }
}

/** Ends with 0 where the program is there; what it prints names the variant. */
export function askVersion(tools: Tools, which: 'restore' | 'save'): Command {
  return { does: 'other', family: tools.family, argv: [tools[which], '--version'] }
}

export function comment(text: string): string {
  return `-m comment --comment "${text}"`
}

export function jump(chain: string): string {
  return `-j ${chain}`
}

export function to(ip: Address): string {
  return `-d ${hostCidr(ip)}`
}

export function from(ip: Address): string {
  return `-s ${hostCidr(ip)}`
}

/** The match on a destination port; its protocol word stands earlier in the line, see `proto`. */
export function dport(protocol: Protocol, port: number): string {
  return `-m ${protocol} --dport ${port}`
}

export function proto(protocol: Protocol): string {
  return `-p ${protocol}`
}

/** One in `n`: said with ten digits as kube-proxy does, kept by the kernel in units of 1/2³¹, printed with eleven. */
export function oneIn(n: number): string {
  CHANCES[n] ??= `-m statistic --mode random --probability ${chance(n)}`
  return CHANCES[n]
}

const CHANCES: string[] = []

/** The list of clients that were sent to `list`. The mask is what iptables-save always prints. */
export function recentlySeen(list: string, seconds: number, family: Family): string {
  return `-m recent --rcheck --seconds ${seconds} --reap --name ${list} --mask ${FULL_MASK[family]} --rsource`
}

export function remember(list: string, family: Family): string {
  return `-m recent --set --name ${list} --mask ${FULL_MASK[family]} --rsource`
}

export function setMark(mark: number): string {
  return `-j MARK --set-xmark ${hexMark(mark)}/${hexMark(mark)}`
}

/** Clears the mark of a packet that is known to carry it. */
export function clearMark(mark: number): string {
  return `-j MARK --set-xmark ${hexMark(mark)}/0x0`
}

export function marked(mark: number): string {
  return `-m mark --mark ${hexMark(mark)}/${hexMark(mark)}`
}

export function notMarked(mark: number): string {
  return `-m mark ! --mark ${hexMark(mark)}/${hexMark(mark)}`
}

export function reject(family: Family): string {
  return `-j REJECT --reject-with ${family === 'ipv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable'}`
}

/** One `*table … COMMIT` block. */
export function block(table: string, lines: readonly string[]): string {
  return `*${table}\n${lines.join('\n')}\nCOMMIT\n`
}

const FULL_MASK: Record<Family, string> = {
  ipv4: '255.255.255.255',
  ipv6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
}

function chance(n: number): string {
  return (Math.round(Number((1 / n).toFixed(10)) * 2 ** 31) / 2 ** 31).toFixed(11)
}

function hexMark(mark: number): string {
  return `0x${(mark >>> 0).toString(16)}`
}
