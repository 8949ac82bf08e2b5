import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { format, parse, parseList, parseRule, ruleText, type Save } from '../src/index.ts'
import { ruleParts } from './arbitraries.ts'
import { bigSave } from './big-save.ts'
import { SAVES } from './fixtures.ts'

describe('a save', () => {
  test('is tables, chains and rules in the order of the text', () => {
    const { tables, notes } = parse(
      [
        '# Generated',
        '*nat',
        ':POSTROUTING ACCEPT [12:345]',
        ':MINE - [0:0]',
        '-A MINE -j RETURN',
        '# in between',
        '-A POSTROUTING -j MINE',
        '[3:4] -A MINE -j ACCEPT',
        'COMMIT',
        '*filter',
        'COMMIT',
        '# Completed',
      ].join('\n'),
    )
    expect(tables.map(({ name }) => name)).toEqual(['nat', 'filter'])
    expect(notes).toEqual(['# Completed'])
    const [nat] = tables
    expect(nat?.notes).toEqual(['# Generated', '# in between'])
    expect([...nat!.chains.keys()]).toEqual(['POSTROUTING', 'MINE'])
    expect(nat?.chains.get('POSTROUTING')).toMatchObject({ policy: 'ACCEPT', counters: { packets: 12n, bytes: 345n } })
    const mine = nat!.chains.get('MINE')!
    expect(mine.policy).toBe('-')
    expect(mine.rules.map(({ text }) => text)).toEqual(['-A MINE -j RETURN', '-A MINE -j ACCEPT'])
    expect(mine.rules[1]?.counters).toEqual({ packets: 3n, bytes: 4n })
  })

  test('may have rules for chains it does not declare, as documents for --noflush have', () => {
    const [table] = parse('*nat\n-A PREROUTING -j MINE\nCOMMIT\n').tables
    expect(table?.chains.get('PREROUTING')?.rules).toHaveLength(1)
    expect(table?.chains.get('PREROUTING')?.policy).toBeUndefined()
    expect(format(parse('*nat\n-A PREROUTING -j MINE\nCOMMIT\n'))).toBe('*nat\n-A PREROUTING -j MINE\nCOMMIT\n')
  })

  test.each(SAVES)('%s comes back as it was', (_, text) => expect(format(parse(text))).toBe(text))

  test.each(SAVES)('%s makes sense in every rule', (_, text) => {
    for (const { chains } of parse(text).tables)
      for (const { rules } of chains.values()) {
        for (const rule of rules) expect(rule.matches.length + (rule.target ? 1 : 0)).toBeGreaterThan(0)
      }
  })

  test('of generated rules comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(ruleParts), list => {
        const save = saveOf(list.map(ruleText))
        expect(outline(parse(format(save)))).toEqual(outline(save))
      }),
    )
  })

  test('of 1,000 services comes back as it was', () => {
    const text = bigSave(1000)
    expect(format(parse(text))).toBe(text)
  })
})

function saveOf(lines: readonly string[]): Save {
  const rules = lines.map(line => parseRule(line))
  const chains = new Map(
    rules.map(({ chain }) => [chain, { name: chain, rules: rules.filter(r => r.chain === chain) }]),
  )
  return { tables: [{ name: 'filter', chains, notes: ['# made up'] }], notes: [] }
}

function outline({ tables, notes }: Save) {
  return [
    ...notes,
    ...tables.flatMap(({ name, chains, notes }) => [
      name,
      ...notes,
      ...[...chains.values()].flatMap(chain => [
        `${chain.name} ${chain.policy}`,
        ...chain.rules.map(rule => rule.text),
      ]),
    ]),
  ]
}

describe('a text that is no save says where', () => {
  test.each([
    ['-A X -j Y\n', 1, 1, 'a table must start here, as in "*nat"'],
    [
      '*nat\n-A X -m comment --comment "open\n-A X -m comment --comment "b"\nCOMMIT\n',
      2,
      27,
      'this quote is never closed',
    ],
    ['*nat\n-A X -m comment --comment "open \\"\nCOMMIT\n', 2, 27, 'this quote is never closed'],
    ['*nat\n[1:2] -A X -m comment --comment "a" "\nCOMMIT\n', 2, 37, 'this quote is never closed'],
    ['*nat\n:X ACCEPT [0:0]\n', 2, 1, 'the text is cut off: no COMMIT ends table nat'],
    ['*nat\n*filter\nCOMMIT\n', 2, 1, 'no COMMIT ended table nat, and here starts another'],
    ['*nat\n:X\nCOMMIT\n', 2, 1, 'a chain looks like ":INPUT ACCEPT [0:0]", not like ":X"'],
    ['*nat\n:X - [a:b]\nCOMMIT\n', 2, 1, '"[a:b]" are no counters: they look like [packets:bytes]'],
    ['*nat\nCOMMI\n', 2, 1, '"COMMI" is no rule, chain, note or COMMIT'],
    ['*nat\n\n-I X -j Y\nCOMMIT\n', 3, 1, 'a rule starts with -A and the name of its chain'],
    ['*\nCOMMIT\n', 1, 1, 'a table needs a name, as in "*nat"'],
  ])('%j', (text, line, column, problem) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ name: 'ParseError', line, column, problem }))
  })

  test('and so does a rule when a part of it is read', () => {
    const rule = parse('*nat\n[1:2] -A X -j\nCOMMIT\n').tables[0]?.chains.get('X')?.rules[0]
    expect(() => rule?.target).toThrow('line 2, column 12: -j needs a value')
  })
})

describe('a listing of -S', () => {
  test('is a table without a name', () => {
    const table = parseList(
      [
        '# Warning: iptables-legacy tables present, use iptables-legacy to see them',
        '-P INPUT DROP -c 10 20',
        '-P OUTPUT ACCEPT',
        '-N MINE',
        '-A INPUT -p tcp -m comment --comment "a b" -c 3 4 -j MINE',
        '-A OTHER -j DROP',
        '',
      ].join('\n'),
    )
    expect(table.name).toBe('filter')
    expect(table.notes).toHaveLength(1)
    expect([...table.chains.values()].map(({ name, policy }) => [name, policy])).toEqual([
      ['INPUT', 'DROP'],
      ['OUTPUT', 'ACCEPT'],
      ['MINE', '-'],
      ['OTHER', undefined],
    ])
    const input = table.chains.get('INPUT')
    expect(input?.counters).toEqual({ packets: 10n, bytes: 20n })
    expect(input?.rules[0]?.counters).toEqual({ packets: 3n, bytes: 4n })
    expect(input?.rules[0]?.target?.name).toBe('MINE')
    expect(parseList('-P INPUT ACCEPT', 'raw').name).toBe('raw')
  })

  test.each([
    ['-P INPUT ACCEPT\n-X MINE', 2, 1, '"-X MINE" is no -P, -N or -A line'],
    ['-A INPUT -m comment --comment "x', 1, 31, 'this quote is never closed'],
  ])('%j is none', (text, line, column, problem) => {
    expect(() => parseList(text)).toThrow(expect.objectContaining({ line, column, problem }))
  })
})
