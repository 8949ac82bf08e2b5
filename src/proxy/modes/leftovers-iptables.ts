import { type ChainTexts, canonicalChains } from 'iptables-parser'
import { block, type Variant } from '#dialects/iptables.ts'
import { strangers, targetOf } from './iptables/foreign-rules.ts'
import * as iptables from './iptables/names.ts'
import { chainUnit, FIREWALL, isBuiltIn, MARK_MASQ, POSTROUTING, type Table } from './iptables/names.ts'
import * as ipvs from './ipvs/names.ts'
import * as userspace from './userspace/names.ts'

// What iptables-save prints → what service proxies of any mode and age have left in it, and the documents that take it away.

/** What is there of them in one table. */
export interface Leftover {
  readonly table: Table
  /** Jumps from the kernel's own chains, without their leading `-A`. */
  readonly lines: readonly string[]
  readonly chains: readonly LeftChain[]
}

export interface LeftChain {
  readonly name: string
  readonly state: 'empty' | 'filled'
  /** The rule of somebody else that leads here: while it stands, the chain can be emptied but not deleted. */
  readonly heldBy?: string
}

const TABLES: readonly Table[] = ['mangle', 'filter', 'nat']
const MARK_DROP = 'KUBE-MARK-DROP'

/** In the nat table KUBE-FIREWALL is what ipvs mode of 1.20 had; in the filter table it is shared with kubelet. */
function isAnyProxys(table: Table, chain: string): boolean {
  if (iptables.isOurChain(table, chain) || ipvs.isOurChain(table, chain)) return true
  return table !== 'mangle' && (userspace.isOurChain(table, chain) || (table === 'nat' && chain === FIREWALL))
}

/** How our jumps say why they are there; a rule that says nothing of the kind is a stranger's, wherever it leads. */
const OUR_REASON =
  / --comment "(?:kubernetes |kube-proxy |handle (?:ClusterIPs|service NodePorts);|Ensure that non-local NodePort traffic)/

export function leftoversIn(save: string): readonly Leftover[] {
  const tables = canonicalChains(save)
  const goes = whatGoes(tables)
  const held = strangers(tables, { chain: goes, line: isOurJump })
  return TABLES.map(table => {
    const all = [...(tables.get(table) ?? [])]
    const jumps = all.flatMap(([chain, text]) => text.split('\n').filter(line => isOurJump(table, chain, line)))
    const chains = all.filter(([chain]) => goes(table, chain))
    return {
      table,
      lines: jumps.filter(line => goes(table, targetOf(line)!)).map(line => line.slice('-A '.length)),
      chains: chains
        .map(([name, text]) => leftChain(name, text, held.get(chainUnit(table, name))))
        // Nobody can say whose this is: where somebody else uses it, it is theirs.
        .filter(({ name, heldBy }) => name !== MARK_DROP || heldBy === undefined),
    }
  })
}

function leftChain(name: string, text: string, heldBy: string | undefined): LeftChain {
  return { name, state: text === '' ? 'empty' : 'filled', ...(heldBy !== undefined && { heldBy }) }
}

function isOurJump(table: Table, chain: string, line: string): boolean {
  const target = isBuiltIn(chain) ? targetOf(line) : undefined
  return target !== undefined && ((target === FIREWALL && table === 'filter') || OUR_REASON.test(line))
}

/**
 * kubelet writes chains with the same first name, and puts them back only when it starts: what it may have written stays
 * where it is at work. Before 1.28 that was also everything about marks, which it shared with kube-proxy.
 */
function whatGoes(tables: ChainTexts): (table: Table, chain: string) => boolean {
  const has = (table: Table, chain: string): boolean => tables.get(table)?.has(chain) === true
  const kubelet = TABLES.some(table => has(table, 'KUBE-KUBELET-CANARY')) || has('mangle', 'KUBE-IPTABLES-HINT')
  const marks = kubelet && (tables.get('nat')?.get(MARK_DROP) ?? '') !== ''
  const firewall = tables.get('filter')?.get(FIREWALL) ?? ''
  const strange = firewall
    .split('\n')
    .some(line => line !== '' && !line.includes('"block incoming localnet connections"'))
  return (table, chain) => {
    if (chain === FIREWALL && table === 'filter') return !kubelet && !strange
    if (table === 'nat' && chain === MARK_DROP) return !marks
    if (table === 'nat' && (chain === MARK_MASQ || chain === POSTROUTING)) return !marks
    return isAnyProxys(table, chain)
  }
}

/** Whether there is anything left to do. */
export function canGo({ lines, chains }: Leftover): boolean {
  return lines.length > 0 || chains.some(({ heldBy, state }) => heldBy === undefined || state === 'filled')
}

/** In blocks that can each stand alone: first nothing leads anywhere any more, then the chains go. */
export function removal({ table, lines, chains }: Leftover, variant: Variant): string {
  const loose = [...lines.map(line => `-D ${line}`), ...chains.map(({ name }) => `:${name} - [0:0]`)]
  const gone = chains.filter(({ heldBy }) => heldBy === undefined).map(({ name }) => `-X ${name}`)
  const size = variant === 'legacy' ? Number.POSITIVE_INFINITY : Math.max(100, Math.round(Math.sqrt(chains.length)))
  return [...blocks(table, loose, size), ...blocks(table, gone, size)].join('')
}

function blocks(table: Table, pieces: readonly string[], size: number): readonly string[] {
  const found: string[] = []
  for (let i = 0; i < pieces.length; i += size) found.push(block(table, pieces.slice(i, i + size)))
  return found
}
