import { parsedRule } from '#lab/paper/nft/statements.ts'
import { NftWords } from '#lab/paper/nft/words.ts'
import type { Command, Outcome } from '#system/ports.ts'

// nft over tables whose rules are text: the words that only the plugins of pods use, and PaperNft has no trees for. As strict as
// the kernel about what is there, what refers to it, and all or none.

interface Rule {
  readonly text: string
  readonly comment?: string
  readonly handle: number
}

interface Element {
  readonly comment?: string
  readonly target?: string
}

interface Table {
  readonly chains: Map<string, readonly Rule[]>
  readonly sets: Map<string, ReadonlyMap<string, Element>>
}

const REFUSED: Outcome = { code: 1, stdout: '', stderr: 'Error: Could not process rule: No such file or directory' }

export class NftTables {
  #tables = new Map<string, Table>()
  #handles = 0

  run({ argv, input = '' }: Command): Outcome {
    const [, ...words] = argv
    if (words.includes('--version')) return done('nftables v1.0.6')
    if (words.join(' ') === '-f -') return this.#script(input)
    const [how, , what = '', family = '', table = '', name = ''] = words
    const found = this.#tables.get(`${family} ${table}`)
    if (what === 'ruleset') return done(json(this.#all(family).flatMap(([at, one]) => objects(at, one))))
    if (found === undefined) return REFUSED
    if (what === 'table') return done(json(objects(table, found)))
    const hasIt = what === 'chain' ? found.chains.has(name) : found.sets.has(name)
    if (!hasIt) return REFUSED
    const only = what === 'chain' ? { chains: one(found.chains, name), sets: new Map() } : undefined
    if (how === '-a') return done(listing({ family, table, name }, found.chains.get(name)!))
    return done(json(objects(table, only ?? { chains: new Map(), sets: one(found.sets, name) })))
  }

  /** All objects, one a line. */
  dump(): readonly string[] {
    return [...this.#tables].flatMap(([at, { chains, sets }]) => [
      `table ${at}`,
      ...[...sets].flatMap(([name, elements]) => [
        `set ${at} ${name}`,
        ...[...elements].map(([key, { target, comment }]) =>
          [`element ${at} ${name} ${key}`, target && `goto ${target}`, comment && `"${comment}"`]
            .filter(Boolean)
            .join(' '),
        ),
      ]),
      ...[...chains].flatMap(([name, rules]) => [
        `chain ${at} ${name}`,
        ...rules.map(({ text }) => `rule ${at} ${name} ${text}`),
      ]),
    ])
  }

  flush(): void {
    this.#tables = new Map()
  }

  #all(family: string): readonly (readonly [string, Table])[] {
    return [...this.#tables].flatMap(([at, table]) => {
      const [own, name = ''] = at.split(' ')
      return own === family ? [[name, table] as const] : []
    })
  }

  #script(input: string): Outcome {
    const before = this.#tables
    this.#tables = new Map(
      [...before].map(([at, { chains, sets }]) => [at, { chains: new Map(chains), sets: new Map(sets) }]),
    )
    for (const line of input.split('\n').filter(text => text !== '')) {
      const problem = this.#carryOut(line)
      if (problem === undefined) continue
      this.#tables = before
      return { code: 1, stdout: '', stderr: `Error: ${problem}: ${line}` }
    }
    return done('')
  }

  #carryOut(line: string): string | undefined {
    const [, verb, object, family, table, name = '', rest = ''] =
      /^(add|create|insert|flush|delete) (table|chain|rule|set|map|element) (\w+) (\w+)(?: (\S+))?(?: (.*))?$/.exec(
        line,
      ) ?? []
    const at = `${family} ${table}`
    if (object === 'table') {
      if (!this.#tables.has(at)) this.#tables.set(at, { chains: new Map(), sets: new Map() })
      return undefined
    }
    const found = this.#tables.get(at)
    if (found === undefined) return 'there is no such table'
    const { chains, sets } = found
    if (object === 'set' || object === 'map') return void (sets.has(name) || sets.set(name, new Map()))
    if (object === 'element') return changeElement(found, { verb: verb!, name, rest })
    if (object === 'chain' && verb === 'add') return void (chains.has(name) || chains.set(name, []))
    const rules = chains.get(name)
    if (rules === undefined) return 'there is no such chain'
    if (object === 'chain' && verb === 'flush') return void chains.set(name, [])
    if (object === 'chain') return isLedTo(found, name) ? 'it is in use' : void chains.delete(name)
    if (verb === 'delete') {
      const left = rules.filter(({ handle }) => `handle ${handle}` !== rest)
      chains.set(name, left)
      return left.length === rules.length ? 'there is no such rule' : undefined
    }
    if (!leadsSomewhere(found, rest)) return 'what it leads to is not there'
    const rule = { text: rest, ...commentIn(rest), handle: ++this.#handles }
    return void chains.set(name, verb === 'insert' ? [rule, ...rules] : [...rules, rule])
  }
}

interface ElementChange {
  readonly verb: string
  readonly name: string
  readonly rest: string
}

function changeElement(table: Table, { verb, name, rest }: ElementChange): string | undefined {
  const set = table.sets.get(name)
  if (set === undefined) return 'there is no such set'
  const [, written = '', comment, target] =
    /^\{ (\S+(?: \. \S+)?)(?: comment "([^"]*)")?(?: : goto (\S+))? \}$/.exec(rest) ?? []
  const key = written.replaceAll('"', '')
  if (verb === 'delete' && !set.has(key)) return 'there is no such element'
  if (verb === 'create' && set.has(key)) return 'it is there'
  if (target !== undefined && !table.chains.has(target)) return 'what it leads to is not there'
  const elements = new Map(set)
  if (verb === 'delete') elements.delete(key)
  else elements.set(key, { ...(comment !== undefined && { comment }), ...(target !== undefined && { target }) })
  table.sets.set(name, elements)
  return undefined
}

function isLedTo({ chains, sets }: Table, name: string): boolean {
  const rules = [...chains].flatMap(([chain, own]) => (chain === name ? [] : own))
  const elements = [...sets.values()].flatMap(set => [...set.values()])
  return rules.some(({ text }) => led(text) === name) || elements.some(({ target }) => target === name)
}

function leadsSomewhere({ chains, sets }: Table, text: string): boolean {
  const [chain, set] = [led(text), /@(\w+)/.exec(text)?.[1]]
  return (chain === undefined || chains.has(chain)) && (set === undefined || sets.has(set))
}

function led(text: string): string | undefined {
  return /(?:jump|goto) (\S+)/.exec(text)?.[1]
}

function commentIn(text: string): { readonly comment?: string } {
  const comment = /comment "(.*)"$/.exec(text)?.[1]
  return comment === undefined ? {} : { comment }
}

function listing(at: { family: string; table: string; name: string }, rules: readonly Rule[]): string {
  const lines = rules.map(({ text, handle }) => `\t\t${text} # handle ${handle}`)
  return `table ${at.family} ${at.table} {\n\tchain ${at.name} { # handle 1\n${lines.join('\n')}\n\t}\n}\n`
}

function objects(table: string, { chains, sets }: Table): readonly object[] {
  return [
    ...[...sets].map(([name, elements]) => ({ map: { table, name, type: 'ifname', elem: [...elements].map(listed) } })),
    ...[...chains].flatMap(([chain, rules]) => [
      { chain: { table, name: chain } },
      ...rules.map(({ text, ...rule }) => ({ rule: { table, chain, ...rule, expr: treeOf(text) } })),
    ]),
  ]
}

function listed([key, { comment, target }]: readonly [string, Element]): unknown {
  const parts = key.split(' . ')
  const val = parts.length === 1 ? key : { concat: parts }
  const item = comment === undefined ? val : { elem: { val, comment } }
  return target === undefined ? item : [item, { goto: { target } }]
}

/** PaperNft's, and what it has none for; nothing where both have none. */
function treeOf(text: string): readonly object[] {
  const [begin, tree] = TREES.find(([words]) => text.startsWith(words)) ?? ['', undefined]
  try {
    return [...(tree === undefined ? [] : [tree]), ...parsedRule('ip', new NftWords(text.slice(begin.length))).expr]
  } catch {
    return []
  }
}

const TREES: readonly (readonly [words: string, tree: object])[] = [
  [
    'fib daddr type local ',
    { match: { op: '==', left: { fib: { result: 'type', flags: ['daddr'] } }, right: 'local' } },
  ],
  ['iifname != "lo" ', { match: { op: '!=', left: { meta: { key: 'iifname' } }, right: 'lo' } }],
]

function one<T>(all: ReadonlyMap<string, T>, name: string): Map<string, T> {
  return new Map([...all].filter(([other]) => other === name))
}

function json(nftables: readonly object[]): string {
  return JSON.stringify({ nftables })
}

function done(stdout: string): Outcome {
  return { code: 0, stdout, stderr: '' }
}
