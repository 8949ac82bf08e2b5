import type { Family } from '#values/address.ts'

// One thing that iptables does with a document or a command, and what it leaves behind. Written once for both families:
// {ip} is an address, {host} the same as iptables-save prints it, {net} a network, {ip:80} an address and port.

export interface IptablesCase {
  readonly title: string
  /** A document that was applied before. */
  readonly given?: string
  /** A document for `-restore --noflush`, or the words after the program's name. */
  readonly run: string | { readonly words: readonly string[]; readonly input?: string }
  readonly verdict: 'done' | 'refused'
  /** The text of stderr. */
  readonly says?: RegExp | Says
  readonly prints?: string
  /** All chains and rules afterwards; absent where nothing changes. */
  readonly leaves?: readonly string[]
  readonly only?: 'nft' | 'legacy'
  readonly family?: Family
}

export interface Says {
  readonly nft: RegExp
  readonly legacy: RegExp
}

export function block(table: string, ...lines: readonly string[]): string {
  return [`*${table}`, ...lines, 'COMMIT', ''].join('\n')
}

export function words(...list: readonly string[]): IptablesCase['run'] {
  return { words: list }
}

export const A_TO_B = block('filter', ':A - [0:0]', ':B - [0:0]', '-A A -j B')
export const A_TO_B_LINES = ['filter :A', 'filter :B', 'filter -A A -j B']

/** A line that the tool itself refuses; only nft gives the reason. */
export function refusedAt(line: number, why: string): Says {
  return { nft: new RegExp(`line ${line} failed: ${why}`), legacy: new RegExp(`line ${line} failed`) }
}

const WORDS: Readonly<Record<Family, Readonly<Record<string, string>>>> = {
  ipv4: {
    ...{ ip: '10.0.0.1', host: '10.0.0.1/32', net: '10.0.0.0/8', 'ip-in-net': '10.1.2.3/8', everything: '0.0.0.0/0' },
    ...{ 'ip:80': '10.0.0.1:80', 'ip:65536': '10.0.0.1:65536', mask: '255.255.255.255', 'other-family': 'fd00::1' },
    'port-unreachable': 'icmp-port-unreachable',
  },
  ipv6: {
    ...{ ip: 'fd00::1', host: 'fd00::1/128', net: 'fd00::/64', 'ip-in-net': 'fd00:0:0::1:2/64', everything: '::/0' },
    ...{ 'ip:80': '[fd00::1]:80', 'ip:65536': '[fd00::1]:65536', 'other-family': '10.0.0.1' },
    ...{ mask: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'port-unreachable': 'icmp6-port-unreachable' },
  },
}

export function inFamily(one: IptablesCase, family: Family): IptablesCase {
  const fill = (text: string) =>
    text.replaceAll(/\{([\w:-]+)\}/g, (_, word: string) => WORDS[family][word] ?? `{${word}}`)
  const { given, run, leaves } = one
  return {
    ...one,
    ...(given === undefined ? {} : { given: fill(given) }),
    run: typeof run === 'string' ? fill(run) : { ...run, words: run.words.map(fill) },
    ...(leaves === undefined ? {} : { leaves: leaves.map(fill) }),
  }
}
