import * as words from '#dialects/iptables.ts'
import { must } from '#system/must.ts'
import type { Outcome } from '#system/ports.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import { failureOf, isAbsent, listedBy } from '../backend-absent.ts'
import { natListing } from '../nat-listing.ts'
import type { PluginParts } from '../plugin.ts'
import type { MappedPort, Mapping, MappingBackend, OwnerChoice } from './backend.ts'
import * as rules from './iptables-rules.ts'
import type { PortmapOwner, PortmapTarget } from './target.ts'

// Mappings → iptables, one process a family where the shared rules stand already.

/** Pods that start at once may make the shared rules at once: one of them is refused, and finds them there the next time. */
const TRIES = 4

export type IptablesParts = Pick<PluginParts, 'kernel' | 'hasChain'>

export class IptablesBackend implements MappingBackend {
  readonly #parts: IptablesParts

  constructor(parts: IptablesParts) {
    this.#parts = parts
  }

  async map(mapping: Mapping): Promise<void> {
    try {
      for (const target of mapping.targets) await this.#mapFamily(target, mapping)
    } catch (error) {
      await this.unmap(mapping).catch(() => undefined)
      throw error
    }
  }

  async #mapFamily(target: PortmapTarget, mapping: Mapping): Promise<void> {
    const { family } = target
    const shared = rules.sharedRules(family, mapping.config)
    const own = inNat(rules.mappingLines(target, mapping.owner, mapping.config))
    const quick = this.#document(family, [...shared.map(checkShared), ...own])
    let outcome = await this.#parts.kernel.run(quick)
    for (let tries = 0; outcome.code !== 0 && !isAbsent(outcome) && tries < TRIES; tries++) {
      await this.#unmapFamily(family, mapping)
      const missing = await this.#missingShared(family, shared)
      outcome = await this.#parts.kernel.run(this.#document(family, [...missing, ...own]))
    }
    if (outcome.code !== 0) throw failureOf(quick, outcome)
  }

  /** Chains and rules of the shared ones that are not there, as lines that make them. */
  async #missingShared(family: Family, shared: readonly rules.SharedRule[]): Promise<readonly TableLine[]> {
    const lines: TableLine[] = []
    const chains = new Map(shared.map(({ table, chain }) => [`${table} ${chain}`, { table, chain }]))
    chains.set('entry', { table: 'nat', chain: rules.ENTRY_CHAIN })
    for (const { table, chain } of chains.values()) {
      if (!(await this.#isListed(family, table, chain))) lines.push([table, `-N ${chain}`])
    }
    for (const one of shared) {
      const { code } = await this.#restore(family, [checkShared(one)])
      if (code !== 0) lines.push([one.table, `${one.stands === 'first' ? '-I' : '-A'} ${one.chain} ${one.line}`])
    }
    return lines
  }

  async unmap(choice: OwnerChoice): Promise<readonly MappedPort[]> {
    const found: MappedPort[] = []
    for (const family of FAMILIES) found.push(...(await this.#unmapFamily(family, choice)))
    return found
  }

  async #unmapFamily(family: Family, choice: OwnerChoice): Promise<readonly MappedPort[]> {
    const entries = (await this.#entries(family)).filter(entry => isChosen(entry, choice))
    const lines = [...rules.removalLines(entries), ...(await this.#leftChains(family, choice, entries))]
    if (lines.length > 0) await must(this.#parts.kernel, this.#document(family, inNat(lines)))
    return entries.flatMap(({ protocol, ports }) => ports.map(port => ({ family, protocol, port })))
  }

  async #entries(family: Family): Promise<readonly rules.EntryRule[]> {
    if (this.#isAbsent(family, rules.ENTRY_CHAIN)) return []
    return rules.entryRulesOf((await this.#listed(family, rules.ENTRY_CHAIN)) ?? '')
  }

  /** A chain to which nothing leads, because what led there was flushed. */
  async #leftChains(
    family: Family,
    choice: OwnerChoice,
    entries: readonly rules.EntryRule[],
  ): Promise<readonly string[]> {
    if (!('owner' in choice)) return []
    const chain = rules.chainOf(choice.owner)
    if (entries.some(entry => entry.chain === chain) || this.#isAbsent(family, chain)) return []
    return (await this.#listed(family, chain)) === undefined ? [] : [`-F ${chain}`, `-X ${chain}`]
  }

  async missing({ targets, owner, config }: Mapping): Promise<readonly string[]> {
    const found: string[] = []
    for (const target of targets) {
      const { family } = target
      const shared = rules.sharedRules(family, config).map(checkShared)
      const own = rules.mappingLines(target, owner, config).flatMap(line => checkLine(line) ?? [])
      const { code, stderr } = await this.#restore(family, [...shared, ...inNat(own)])
      if (code !== 0)
        found.push(`rules of iptables' nat table for ${target.address} are gone or changed: ${stderr.trim()}`)
    }
    return found
  }

  /** Known without a process. */
  #isAbsent(family: Family, chain: string): boolean {
    return this.#parts.hasChain?.({ family, table: 'nat', chain }) === false
  }

  async #isListed(family: Family, table: string, chain: string): Promise<boolean> {
    return (await this.#parts.kernel.run(words.listChain(toolsOf(family), table, chain))).code === 0
  }

  /** Of the nat table; undefined where there is no such chain. */
  async #listed(family: Family, chain: string): Promise<string | undefined> {
    const { command, outcome } = await natListing(this.#parts.kernel, family, chain)
    return listedBy(command, outcome)
  }

  #restore(family: Family, lines: readonly TableLine[]): Promise<Outcome> {
    return this.#parts.kernel.run(this.#document(family, lines))
  }

  #document(family: Family, lines: readonly TableLine[]): ReturnType<typeof words.restoreInto> {
    const blocks = [...Map.groupBy(lines, ([table]) => table)].map(([table, own]) =>
      words.block(
        table,
        own.map(([, line]) => line),
      ),
    )
    return words.restoreInto(toolsOf(family), blocks.join(''))
  }
}

type TableLine = readonly [table: string, line: string]

function checkShared({ table, chain, line }: rules.SharedRule): TableLine {
  return [table, `-C ${chain} ${line}`]
}

function inNat(lines: readonly string[]): readonly TableLine[] {
  return lines.map(line => ['nat', line])
}

/** The plain names: what this host means by iptables. */
function toolsOf(family: Family): words.Tools {
  return words.plainlyNamed(family, 'nft')
}

function checkLine(line: string): string | undefined {
  if (line.startsWith('-N ')) return undefined
  return line.replace(/^-I (\S+) 1 /, '-A $1 ').replace('-A ', '-C ')
}

function isChosen(entry: rules.EntryRule, choice: OwnerChoice): boolean {
  if ('owner' in choice) return isOf(entry, choice.owner)
  return entry.network === choice.network && !choice.except.some(owner => isOf(entry, owner))
}

/** Rules of the reference plugin do not say which interface they are for. */
function isOf({ network, container, ifname }: rules.EntryRule, owner: PortmapOwner): boolean {
  return network === owner.network && container === owner.container && (ifname ?? owner.ifname) === owner.ifname
}
