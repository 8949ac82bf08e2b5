import { type ChainTexts, canonicalChains } from 'iptables-parser'
import type { Variant } from '#dialects/iptables.ts'
import * as iptables from './iptables/names.ts'
import { FIREWALL, MARK_MASQ, POSTROUTING } from './iptables/names.ts'
import * as ipvs from './ipvs/names.ts'
import { blocks, emptied } from './netfilter/blocks.ts'
import { isBuiltIn } from './netfilter/chains.ts'
import { foreignRulesTo, hasProxysComment, targetOf } from './netfilter/foreign-rules.ts'
import { chainUnit, TABLES, type Table } from './netfilter/units.ts'
import * as userspace from './userspace/names.ts'

// iptables-save → chains and jumps that service proxies of any mode and version have left, and the documents that
// remove them.

/** The leftovers in one table. */
export interface Leftover {
  readonly table: Table
  /** Jumps from the kernel's own chains, without their leading `-A`. */
  readonly lines: readonly string[]
  readonly chains: readonly LeftChain[]
}

export interface LeftChain {
  readonly name: string
  readonly state: 'empty' | 'filled'
  /** The foreign rule that jumps here: while it stands, the chain can be emptied but not deleted. */
  readonly blockedBy?: string
}

const MARK_DROP = 'KUBE-MARK-DROP'

/** KUBE-FIREWALL in the nat table is a chain of ipvs mode in 1.20; in the filter table kubelet uses it too. */
function isAnyProxys(table: Table, chain: string): boolean {
  if (iptables.isOurChain(table, chain) || ipvs.isOurChain(table, chain)) return true
  return table !== 'mangle' && (userspace.isOurChain(table, chain) || (table === 'nat' && chain === FIREWALL))
}

export function leftoversIn(save: string): readonly Leftover[] {
  const tables = canonicalChains(save)
  const goes = whatGoes(tables)
  const blocked = foreignRulesTo(tables, { tables: TABLES, isOurs: goes, isShared, isOurLine: isOurJump })
  return TABLES.map(table => {
    const all = [...(tables.get(table) ?? [])]
    const shared = all.filter(([chain]) => isShared(table, chain))
    const jumps = shared.flatMap(([, text]) => text.split('\n').filter(line => isOurJump(table, line)))
    const chains = all.filter(([chain]) => goes(table, chain))
    return {
      table,
      lines: jumps.filter(line => goes(table, targetOf(line)!)).map(line => line.slice('-A '.length)),
      chains: chains
        .map(([name, text]) => leftChain(name, text, blocked.get(chainUnit(table, name))))
        // kube-proxy and kubelet both made KUBE-MARK-DROP: where a foreign rule uses it, it stays.
        .filter(({ name, blockedBy }) => name !== MARK_DROP || blockedBy === undefined),
    }
  })
}

function leftChain(name: string, text: string, blockedBy: string | undefined): LeftChain {
  return { name, state: text === '' ? 'empty' : 'filled', ...(blockedBy !== undefined && { blockedBy }) }
}

function isShared(_: Table, chain: string): boolean {
  return isBuiltIn(chain)
}

function isOurJump(table: Table, line: string): boolean {
  const target = targetOf(line)
  return target !== undefined && ((target === FIREWALL && table === 'filter') || hasProxysComment(line))
}

/**
 * kubelet writes chains that start with KUBE- too, and restores them only when it starts: where kubelet runs, what it
 * may have written stays. Before 1.28 that included everything about marks, which it shared with kube-proxy.
 */
function whatGoes(tables: ChainTexts): (table: Table, chain: string) => boolean {
  const has = (table: Table, chain: string): boolean => tables.get(table)?.has(chain) === true
  const kubelet = TABLES.some(table => has(table, 'KUBE-KUBELET-CANARY')) || has('mangle', 'KUBE-IPTABLES-HINT')
  const marks = kubelet && (tables.get('nat')?.get(MARK_DROP) ?? '') !== ''
  const firewall = tables.get('filter')?.get(FIREWALL) ?? ''
  const hasForeignRules = firewall
    .split('\n')
    .some(line => line !== '' && !line.includes('"block incoming localnet connections"'))
  return (table, chain) => {
    if (chain === FIREWALL && table === 'filter') return !kubelet && !hasForeignRules
    if (table === 'nat' && chain === MARK_DROP) return !marks
    if (table === 'nat' && (chain === MARK_MASQ || chain === POSTROUTING)) return !marks
    return isAnyProxys(table, chain)
  }
}

/** True while a jump or a chain can still be removed, or a blocked chain still has rules to empty. */
export function canGo({ lines, chains }: Leftover): boolean {
  return lines.length > 0 || chains.some(({ blockedBy, state }) => blockedBy === undefined || state === 'filled')
}

/**
 * In blocks that can each be applied alone: first all jumps are deleted and all chains emptied, then chains are
 * deleted.
 */
export function removal({ table, lines, chains }: Leftover, variant: Variant): string {
  const loose = [...lines.map(line => `-D ${line}`), ...chains.map(({ name }) => emptied(name))]
  const gone = chains.filter(({ blockedBy }) => blockedBy === undefined).map(({ name }) => `-X ${name}`)
  return [loose, gone]
    .flatMap(texts =>
      blocks(
        table,
        texts.map(text => ({ text })),
        { variant },
      ),
    )
    .join('')
}
