import fc from 'fast-check'
import { canonical, canonicalChains, type Family, parse, parseList } from 'iptables-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import { writtenRule } from '../../packages/iptables-parser/test/arbitraries.ts'
import { printed, SAVES } from '../../packages/iptables-parser/test/fixtures.ts'
import { HERE, WRITTEN } from '../../packages/iptables-parser/test/written.ts'
import { cannotRun, type Namespace, newNamespace } from './namespace.ts'

// The canonical form against the real tools: what was written and what the kernel prints are the same text in it.

const TOOLS = ['iptables-nft', 'iptables-legacy', 'ip6tables-nft', 'ip6tables-legacy'] as const
/** The version whose print the canonical form is; others may print other words for the same. */
const HOUSE_VERSION = 'v1.8.9'

const LISTED = [
  '*filter',
  ':INPUT DROP [5:6]',
  ':MINE - [0:0]',
  `-A INPUT -p tcp -m comment --comment "a \\"b\\" 'c'" -m tcp ! --dport 80 -j MINE`,
  '-A MINE -j MARK --or-mark 4',
  'COMMIT',
  '',
].join('\n')

/** One lock for all of a machine's namespaces: others may hold it for a moment. */
const WAIT = ['-w', '20']

const reason = cannotRun(...TOOLS, 'ipset')

if (reason !== undefined) test.skip(`the canonical form against the real tools (cannot: ${reason})`)
else for (const tool of TOOLS) describe(tool, () => againstTool(tool))

function againstTool(tool: (typeof TOOLS)[number]): void {
  const family: Family = tool.startsWith('ip6') ? 'ipv6' : 'ipv4'
  let space: Namespace
  let house: boolean

  beforeAll(async () => {
    space = await newNamespace('sy-parse')
    house = (await run(tool, '--version')).includes(HOUSE_VERSION)
    await run('ipset', 'create', 'PAIRS', 'hash:ip,port', 'counters', ...setFamily(family))
  })
  afterAll(() => space?.end())

  const run = async (program: string, ...words: readonly string[]) =>
    (await must(space.kernel, anyCommand([program, ...words]))).stdout

  /** The rules as the tool prints them once they stand in the kernel. */
  async function throughKernel(table: string, rules: readonly string[]): Promise<readonly string[]> {
    const lines = [`*${table}`, ':MINE - [0:0]', ':OTHER - [0:0]', ...rules, 'COMMIT', '']
    await must(space.kernel, anyCommand([`${tool}-restore`, ...WAIT], { input: lines.join('\n') }))
    const save = await run(`${tool}-save`, '-t', table)
    return save.split('\n').filter(line => line.startsWith('-A MINE'))
  }

  async function expectSame(table: string, rules: readonly string[]): Promise<void> {
    const saved = await throughKernel(table, rules)
    const wanted = rules.map(rule => canonical(rule, family))
    expect(saved.map(rule => canonical(rule, family))).toEqual(wanted)
    if (house) expect(saved.map(printed)).toEqual(wanted)
  }

  test.each(WRITTEN[family])('prints rules of table $table in their canonical form', async ({ table, rules }) => {
    await expectSame(
      table,
      rules.map(words => `${HERE} ${words}`),
    )
  })

  test('prints any rule in its canonical form', async () => {
    const rules = fc.array(
      writtenRule(family).map(words => `${HERE} ${words}`),
      { minLength: 1, maxLength: 60 },
    )
    await fc.assert(
      fc.asyncProperty(rules, list => expectSame('filter', list)),
      { numRuns: 40 },
    )
  })

  const saves = SAVES.filter(
    ([, text]) => familyOf(text) === family && text.includes('(nf_tables)') === /nft/.test(tool),
  )
  test.for(saves)('gives the rules of %s back', async ([, text]) => {
    await createSets(text)
    // A rule that counts into an accounting object needs that object, which iptables cannot make.
    const input = text.replace(/^.* --nfacct-name .*\n/gm, '')
    await must(space.kernel, anyCommand([`${tool}-restore`, ...WAIT], { input }))
    const saved = canonicalChains(await run(`${tool}-save`), family)
    for (const [table, chains] of canonicalChains(input, family))
      for (const [chain, rules] of chains) expect(saved.get(table)?.get(chain)).toBe(rules)
  })

  test('lists the same rules with -S', async () => {
    await must(space.kernel, anyCommand([`${tool}-restore`, ...WAIT], { input: LISTED }))
    const saved = parse(await run(`${tool}-save`, '-t', 'filter')).tables[0]!
    for (const words of [['-S'], ['-S', '-v']]) {
      const listed = parseList(await run(tool, ...WAIT, '-t', 'filter', ...words))
      expect([...listed.chains.keys()].sort()).toEqual([...saved.chains.keys()].sort())
      for (const { name, policy, rules } of saved.chains.values()) {
        const chain = listed.chains.get(name)
        expect(chain?.policy).toBe(policy)
        expect(chain?.rules.map(rule => canonical(rule))).toEqual(rules.map(rule => canonical(rule)))
        if (words.includes('-v')) for (const { counters } of chain!.rules) expect(counters).toBeDefined()
      }
    }
  })

  async function createSets(text: string): Promise<void> {
    for (const [name, type] of setsIn(text)) await run('ipset', '-exist', 'create', name, type, ...setFamily(family))
  }
}

function familyOf(text: string): Family {
  return /^# Generated by ip6tables-save/m.test(text) ? 'ipv6' : 'ipv4'
}

function setFamily(family: Family): readonly string[] {
  return ['family', family === 'ipv4' ? 'inet' : 'inet6']
}

/** The sets that rules of a save ask for, with a type of as many dimensions. */
function setsIn(text: string): ReadonlyMap<string, string> {
  const types = ['hash:net', 'hash:ip,port', 'hash:ip,port,ip']
  const rules = parse(text).tables.flatMap(({ chains }) => [...chains.values()].flatMap(chain => chain.rules))
  const uses = rules.flatMap(({ matches }) =>
    matches.flatMap(({ options }) => options.get('--match-set')?.values ?? []),
  )
  const pairs = uses.flatMap((name, i) => (i % 2 === 0 ? [[name, uses[i + 1]!] as const] : []))
  return new Map(pairs.map(([name, sides]) => [name, types[sides.split(',').length - 1]!]))
}
