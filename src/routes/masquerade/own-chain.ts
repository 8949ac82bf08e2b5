import * as words from '#dialects/iptables.ts'
import { rule } from '#dialects/words.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { listing } from './listing.ts'

// A chain of iptables that is ours, and the one rule that leads to it, which stands behind the rules of others.

export interface OwnChain {
  readonly table: 'nat' | 'filter'
  readonly name: string
  /** The chain of the kernel that leads to it. */
  readonly entry: string
  readonly comment: string
}

/** In the place of whatever it had. The rules are as they are listed. */
export async function writeChain(
  kernel: Kernel,
  family: Family,
  own: OwnChain,
  rules: readonly string[],
): Promise<void> {
  const entry = await listed(kernel, family, own, own.entry)
  const jump = entry?.includes(jumpTo(own)) ? [] : [jumpTo(own)]
  await restore(kernel, family, own, [`:${own.name} - [0:0]`, ...rules, ...jump])
}

export async function isChainWhole(
  kernel: Kernel,
  family: Family,
  own: OwnChain,
  rules: readonly string[] | undefined,
): Promise<boolean> {
  const found = await listed(kernel, family, own, own.name)
  if (rules?.join('\n') !== found?.join('\n')) return false
  return rules === undefined || ((await listed(kernel, family, own, own.entry))?.includes(jumpTo(own)) ?? false)
}

/** Succeeds where there is none, or no iptables. */
export async function removeChain(kernel: Kernel, family: Family, own: OwnChain): Promise<'removed' | 'none'> {
  if ((await listed(kernel, family, own, own.name)) === undefined) return 'none'
  const entry = (await listed(kernel, family, own, own.entry)) ?? []
  const jumps = entry.filter(line => line.endsWith(words.jump(own.name)))
  const lines = jumps.map(line => line.replace(/^-A/, '-D'))
  await restore(kernel, family, own, [...lines, `-F ${own.name}`, `-X ${own.name}`])
  return 'removed'
}

/** What becomes of packets that no rule of this chain decides; undefined where there is no iptables. Fails as `listing` does. */
export async function policyOf(
  kernel: Kernel,
  family: Family,
  { table, entry }: Pick<OwnChain, 'table' | 'entry'>,
): Promise<string | undefined> {
  const text = await listing(kernel, words.listChain(toolsOf(family), table, entry))
  return /^-P \S+ (\S+)/m.exec(text ?? '')?.[1]
}

export function ruleOf(own: OwnChain, match: string, verdict: string): string {
  return rule('-A', own.name, match, words.comment(own.comment), verdict)
}

function jumpTo({ entry, name, comment }: OwnChain): string {
  return rule('-A', entry, words.comment(comment), words.jump(name))
}

/** The rules of a chain, one a line; undefined where there is none, or no iptables. */
async function listed(
  kernel: Kernel,
  family: Family,
  { table }: OwnChain,
  chain: string,
): Promise<readonly string[] | undefined> {
  const text = await listing(kernel, words.listChain(toolsOf(family), table, chain))
  return text?.split('\n').flatMap(line => (line.startsWith('-A ') ? [line.trimEnd()] : []))
}

async function restore(kernel: Kernel, family: Family, { table }: OwnChain, lines: readonly string[]): Promise<void> {
  await must(kernel, words.restoreInto(toolsOf(family), words.block(table, lines)))
}

/** The plain names: what this node means by iptables. */
function toolsOf(family: Family): words.Tools {
  return words.plainlyNamed(family, 'nft')
}
