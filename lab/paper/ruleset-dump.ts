import type { ChainAt, RulesetDump, SetElement } from '#system/ports.ts'
import { hash16 } from '#values/digest.ts'
import type { PaperKernel } from './kernel.ts'

// Chains of a kernel on paper → what a kernel lists of them by itself.

/** By family and table, then by chain: its rules. */
type Tables = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

export class PaperRulesetDump implements RulesetDump {
  readonly #kernel: Pick<PaperKernel, 'dump' | 'commands'>
  #tables: Tables = new Map()
  #readAfter = -1
  /** How often it was asked for the rules of a chain. */
  asked = 0

  constructor(kernel: Pick<PaperKernel, 'dump' | 'commands'>) {
    this.#kernel = kernel
  }

  chains(family: ChainAt['family']): ReadonlyMap<string, ReadonlySet<string>> {
    const start = `${family} `
    const tables = [...this.#read()].filter(([name]) => name.startsWith(start))
    return new Map(tables.map(([name, chains]) => [name.slice(start.length), new Set(chains.keys())]))
  }

  fingerprint(at: ChainAt): number | undefined {
    this.asked++
    const rules = this.#rulesOf(at)
    return rules && Number.parseInt(hash16(rules.join('\n')), 36) % 2 ** 52
  }

  targets(at: ChainAt): ReadonlySet<string> {
    return new Set(this.#rulesOf(at)?.flatMap(line => / -[jg] (\S+)/.exec(line)?.[1] ?? []))
  }

  elements(): readonly SetElement[] {
    return []
  }

  #rulesOf({ family, table, chain }: ChainAt): readonly string[] | undefined {
    return this.#read().get(`${family} ${table}`)?.get(chain)
  }

  #read(): Tables {
    const { length } = this.#kernel.commands
    if (length !== this.#readAfter) this.#tables = tablesIn(this.#kernel.dump())
    this.#readAfter = length
    return this.#tables
  }
}

function tablesIn(dump: string): Tables {
  const tables = new Map<string, Map<string, string[]>>()
  for (const line of dump.split('\n')) {
    const [, digit, table, made, chain = made] = /^iptables ipv([46]) (\w+) (?::(\S+)|-A (\S+))/.exec(line) ?? []
    if (digit === undefined || table === undefined || chain === undefined) continue
    const name = `${digit === '4' ? 'ip' : 'ip6'} ${table}`
    const chains = tables.get(name) ?? new Map(BUILT_IN.map(builtIn => [builtIn, []]))
    tables.set(name, chains)
    const rules = chains.get(chain) ?? []
    chains.set(chain, rules)
    if (made === undefined) rules.push(line)
  }
  return tables
}

const BUILT_IN = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']
