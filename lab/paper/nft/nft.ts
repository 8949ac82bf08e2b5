import type { Command, Outcome } from '#system/ports.ts'
import type { Machine, PaperTool } from '../machine.ts'
import { asJson, chainHead, setObject, tableHeads, tablesOf, wholeChain, wholeTable } from './listing.ts'
import { NftRefusal } from './refusal.ts'
import { type NftState, type NftTable, tableKey } from './state.ts'
import { applied } from './transaction.ts'

// nft on paper: scripts on standard input, and the listings that we read.

export interface PaperNftOptions {
  /** As kernels before 6.2 do it: a chain goes only once a transaction has forgotten the last jump to it. */
  readonly forgetsLate?: boolean
}

export class PaperNft implements PaperTool {
  #state: NftState = new Map()
  #handles = 0
  readonly #options: PaperNftOptions

  constructor(options: PaperNftOptions = {}) {
    this.#options = options
  }

  answersTo(program: string): boolean {
    return program === 'nft'
  }

  run({ argv, input = '' }: Command): Outcome {
    const words = argv.slice(1)
    const flags = new Set(words.filter(word => word.startsWith('-')))
    const rest = words.filter(word => !word.startsWith('-'))
    if (flags.has('--version')) return done('nftables v1.0.6 (Lester Gooch #5)\n')
    try {
      if (flags.has('-f')) return this.#script(input, { keep: !flags.has('--check') })
      if (rest[0] === 'list') return done(this.#list(flags, rest.slice(1)))
      throw new NftRefusal(`paper nft knows no ${rest.join(' ')}`)
    } catch (error) {
      if (!(error instanceof NftRefusal)) throw error
      return { code: 1, stdout: '', stderr: `/dev/stdin:1:1-1: Error: ${error.message}\n` }
    }
  }

  dump(): readonly string[] {
    return tablesOf(this.#state).flatMap(table => {
      const shown = wholeTable(table, { elements: true }).map(object => JSON.stringify(object, withoutHandles))
      return shown.toSorted()
    })
  }

  flush(): void {
    this.#state = new Map()
  }

  clone(_machine: Machine): PaperNft {
    const twin = new PaperNft(this.#options)
    // A transaction makes a new state and leaves the old one as it was.
    twin.#state = this.#state
    twin.#handles = this.#handles
    return twin
  }

  #script(script: string, { keep }: { readonly keep: boolean }): Outcome {
    const nextHandle = () => ++this.#handles
    const after = applied(this.#state, script, { nextHandle, forgetsLate: this.#options.forgetsLate === true })
    if (keep) this.#state = after
    return done('')
  }

  #list(flags: ReadonlySet<string>, [what, ...operands]: readonly string[]): string {
    const [family = '', table = '', name = ''] = operands
    const elements = !flags.has('-t')
    if (what === 'tables' && !flags.has('-j')) {
      return tablesOf(this.#state, operands[0])
        .map(it => `table ${it.family} ${it.name}\n`)
        .join('')
    }
    if (!flags.has('-j')) throw new NftRefusal(`paper nft lists ${what} with -j alone`)
    if (what === 'tables') return asJson(tableHeads(this.#state, operands[0]))
    if (what === 'chains') {
      return asJson(tablesOf(this.#state).flatMap(it => [...it.chains.keys()].map(chain => chainHead(it, chain))))
    }
    if (what === 'ruleset') {
      return asJson(tablesOf(this.#state, operands[0]).flatMap(it => wholeTable(it, { elements })))
    }
    const found = this.#table(family, table)
    if (what === 'table') return asJson(wholeTable(found, { elements }))
    if (what === 'chain' && found.chains.has(name)) return asJson(wholeChain(found, name))
    if ((what === 'set' || what === 'map') && found.sets.has(name))
      return asJson([setObject(found, name, { elements })])
    throw new NftRefusal('No such file or directory')
  }

  #table(family: string, name: string): NftTable {
    const table = this.#state.get(tableKey(family, name))
    if (table === undefined) throw new NftRefusal('No such file or directory')
    return table
  }
}

function done(stdout: string): Outcome {
  return { code: 0, stdout, stderr: '' }
}

function withoutHandles(key: string, value: unknown): unknown {
  return key === 'handle' ? undefined : value
}
