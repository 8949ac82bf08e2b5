import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonical, canonicalChains, type Family, parse } from '../src/index.ts'
import { writtenRule } from './arbitraries.ts'
import { bigSave } from './big-save.ts'
import { printed, rulesIn, SAVES } from './fixtures.ts'

describe('the canonical chains of a save', () => {
  test('are texts per table and chain, in the order of the text', () => {
    const text = [
      '*nat',
      ':MINE - [0:0]',
      ':EMPTY - [0:0]',
      '-A MINE -p tcp --dport 80 -j X-1',
      '-A MINE -j X-2',
      '-A MINE -j X-3',
      '-A OTHER -j X-4',
      '-A MINE -j X-5',
      '[1:2] -A MINE -j X-6',
      'COMMIT',
      '*nat',
      '-A MINE -j X-7',
      'COMMIT',
      '*raw',
      'COMMIT',
    ].join('\n')
    const tables = canonicalChains(text)
    expect([...tables.keys()]).toEqual(['nat', 'raw'])
    expect([...tables.get('nat')!]).toEqual([
      [
        'MINE',
        [
          '-A MINE -p tcp -m tcp --dport 80 -j X-1',
          ...['X-2', 'X-3', 'X-5', 'X-6', 'X-7'].map(target => `-A MINE -j ${target}`),
        ].join('\n'),
      ],
      ['EMPTY', ''],
      ['OTHER', '-A OTHER -j X-4'],
    ])
  })

  test.each(SAVES)('%s: each rule as canonical alone', (_, text) => {
    const chains = [...canonicalChains(text).values()].flatMap(table => [...table.values()])
    const lines = chains.join('\n').split('\n')
    expect(lines.filter(line => line !== '').sort()).toEqual(rulesIn(text).map(printed).sort())
  })

  test.each([
    ['*nat\n:\nCOMMIT\n', 2],
    ['*nat\n-A X -j\nCOMMIT\n', 2],
    ['*nat\n-A X-1 -m comment --comment "open -j Y-1\nCOMMIT\n', 2],
    ['*nat\n-A X -j Y\n', 2],
  ])('%j is refused', (text, line) => expect(() => canonicalChains(text)).toThrow(expect.objectContaining({ line })))
})

describe('the fast way and the slow way agree', () => {
  const agree = (line: string, family: Family = 'ipv4') => expect(quick(line, family)).toEqual(slow(line, family))

  test.each<Family>(['ipv4', 'ipv6'])('on rules of %s, as written and as printed', family => {
    fc.assert(
      fc.property(writtenRule(family), words => {
        agree(`-A MINE ${words}`, family)
        agree(canonical(`-A MINE ${words}`, family), family)
      }),
      { numRuns: 500 },
    )
  })

  const frequent = [...SAVES.flatMap(([, text]) => rulesIn(text)), ...rulesIn(bigSave(3))]
  const piece = fc.constantFrom(
    ...['"', '\\', "'", ' ', '  ', '\t', '!', '-', '0', '01', '256', '/0', '/32', '/33', '.', ':', '::', 'ab', ' ! '],
    ...[' -j ACCEPT', ' -p tcp', ' --dport 080', ' -m comment --comment x', '/24', '0.50000000001', ' -s 0.0.0.0/0'],
  )

  test('on the rules of real programs after an accident', () => {
    fc.assert(
      fc.property(fc.constantFrom(...frequent), fc.nat(300), fc.nat(5), piece, (rule, at, length, text) => {
        agree(rule.slice(0, at) + text + rule.slice(at + length))
      }),
      { numRuns: 5000 },
    )
  })

  test('on IPv6 addresses in all their spellings', () => {
    const group = fc.constantFrom('0', '00', '1', 'a0', 'ffff', 'FF', '', '1.2.3.4')
    const text = fc.oneof(
      fc.ipV6(),
      fc.array(group, { minLength: 2, maxLength: 9 }).map(groups => groups.join(':')),
    )
    fc.assert(
      fc.property(text, fc.constantFrom('/128', '/64', ''), (address, mask) => {
        agree(`-A X ! -s ${address}${mask} -d ${address}/128 -j A-B`, 'ipv6')
        agree(`-A X -p tcp -m tcp -j DNAT --to-destination [${address}]:80`, 'ipv6')
      }),
      { numRuns: 2000 },
    )
  })

  test('on the rules of many services', () => {
    const text = bigSave(20)
    const [nat] = parse(text).tables
    for (const [chain, rules] of canonicalChains(text).get('nat') ?? [])
      expect(rules).toBe(
        nat?.chains
          .get(chain)
          ?.rules.map(rule => canonical(rule))
          .join('\n'),
      )
  })
})

function quick(line: string, family: Family): string | undefined {
  try {
    const [table] = canonicalChains(`*t\n${line}\nCOMMIT\n`, family).values()
    return [...(table?.values() ?? [])].join('\n')
  } catch {
    return undefined
  }
}

function slow(line: string, family: Family): string | undefined {
  try {
    return canonical(line, family)
  } catch {
    return undefined
  }
}

describe('400,000 lines', { timeout: 180_000 }, () => {
  const text = bigSave(9303)

  test('are that many', () => expect(text.split('\n').length).toBeGreaterThan(400_000))

  /** The least of three, of this thread and not of the clock: other tests run beside this one. */
  function msOf(read: () => unknown): number {
    const times = [1, 2, 3].map(() => {
      const before = process.threadCpuUsage()
      read()
      const { user, system } = process.threadCpuUsage(before)
      return (user + system) / 1000
    })
    return Math.min(...times)
  }

  function words(): number {
    let count = 0
    for (const line of text.split('\n')) for (const word of line.split(' ')) count += word.startsWith('-') ? 1 : 0
    return count
  }

  // Where that takes 0.2 s of a processor, they take 0.3 s and 0.4 s.
  test.each([
    ['parse', () => parse(text)],
    ['canonicalChains', () => canonicalChains(text)],
  ])('take %s less than eight times as long as it takes to split them into words', (_, read) => {
    expect(msOf(read) / msOf(words)).toBeLessThan(8)
  })
})
