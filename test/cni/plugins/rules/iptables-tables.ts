import type { Command, Outcome } from '#system/ports.ts'

// iptables over chains whose rules are text: matches that PaperIptables has no trees for. As strict as the program about what is
// there, what leads to it, and all or none of a table.

const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
}

type Chains = Map<string, readonly string[]>

export class IptablesTables {
  readonly #tables = new Map<string, Chains>()

  run({ argv, input = '' }: Command): Outcome {
    const [program, ...words] = argv
    const family = program.startsWith('ip6') ? 'ipv6' : 'ipv4'
    if (words.includes('--version')) return done('iptables-restore v1.8.9 (nf_tables)')
    if (program.endsWith('-restore')) return this.#restore(family, input)
    const [table = '', chain = ''] = [words[words.indexOf('-t') + 1], words.at(-1)]
    const rules = this.#chains(family, table).get(chain)
    if (rules === undefined) return { code: 1, stdout: '', stderr: 'iptables: No chain/target/match by that name.' }
    const head = BUILT_IN[table]!.includes(chain) ? `-P ${chain} ACCEPT` : `-N ${chain}`
    return done([head, ...rules.map(rule => `-A ${chain} ${rule}`), ''].join('\n'))
  }

  /** What is not there from the beginning, one a line. */
  dump(): readonly string[] {
    return [...this.#tables].flatMap(([at, chains]) =>
      [...chains].flatMap(([chain, rules]) => [
        ...(BUILT_IN[at.split(' ')[1]!]!.includes(chain) ? [] : [`${at} -N ${chain}`]),
        ...rules.map(rule => `${at} -A ${chain} ${rule}`),
      ]),
    )
  }

  flush(): void {
    this.#tables.clear()
  }

  #chains(family: string, table: string): Chains {
    const at = `${family} ${table}`
    return this.#tables.getOrInsertComputed(at, () => new Map(BUILT_IN[table]!.map(chain => [chain, []])))
  }

  #restore(family: string, input: string): Outcome {
    for (const [, table = '', lines = ''] of input.matchAll(/^\*(\w+)\n((?:[^*\n]*\n)*?)COMMIT$/gm)) {
      const chains = new Map(this.#chains(family, table))
      for (const line of lines.trimEnd().split('\n')) {
        const problem = carryOut(chains, line)
        if (problem !== undefined) return { code: 2, stdout: '', stderr: `${problem}: ${line}` }
      }
      this.#tables.set(`${family} ${table}`, chains)
    }
    return done('')
  }
}

function carryOut(chains: Chains, line: string): string | undefined {
  const [, flushed] = /^:(\S+) - \[0:0\]$/.exec(line) ?? []
  if (flushed !== undefined) return void chains.set(flushed, [])
  const [, verb, chain = '', rule = ''] = /^-([NFXAICD]) (\S+)(?: (.*))?$/.exec(line) ?? []
  const rules = chains.get(chain)
  if (verb === 'N') return rules === undefined ? void chains.set(chain, []) : 'the chain is there'
  if (rules === undefined) return 'there is no such chain'
  const text = rule.replace(/^1 /, '')
  const target = / -j (\S+)/.exec(` ${text}`)?.[1] ?? ''
  switch (verb) {
    case 'F':
      return void chains.set(chain, [])
    case 'X': {
      const isLedTo = [...chains.values()].flat().some(one => one.endsWith(`-j ${chain}`))
      return isBuiltIn(chain) || isLedTo || rules.length > 0 ? 'the chain is in use' : void chains.delete(chain)
    }
    case 'C':
      return rules.includes(text) ? undefined : 'there is no such rule'
    case 'D':
      if (!rules.includes(text)) return 'there is no such rule'
      return void chains.set(chain, rules.toSpliced(rules.indexOf(text), 1))
    default:
      if (/^(?:CNI|KUBE)-/.test(target) && !chains.has(target)) return 'there is no such target'
      return void chains.set(chain, verb === 'I' ? [text, ...rules] : [...rules, text])
  }
}

function isBuiltIn(chain: string): boolean {
  return Object.values(BUILT_IN).some(chains => chains.includes(chain))
}

function done(stdout: string): Outcome {
  return { code: 0, stdout, stderr: '' }
}
