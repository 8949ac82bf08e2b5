import { parseRule } from 'iptables-parser'
import { describe, expect, test } from 'vitest'
import { RuleChains } from '#proxy/modes/netfilter/trace/rule-chains.ts'
import { ruleset, unit } from '../../../../support/units.ts'
import { paths } from './rules.ts'

const FIRST = 'nat -A PREROUTING -j FIRST'
const SECOND = 'nat -A PREROUTING -j SECOND'
const JUMPS = { units: [unit(FIRST), unit(SECOND)] }

const texts = (chains: RuleChains, chain: string) => chains.rules('nat', chain)?.map(({ text }) => text)

describe('single lines', () => {
  const lines = ruleset({ [SECOND]: '', 'nat -A PREROUTING -j OTHER': '', [FIRST]: '' })

  test('stand in the chain that they name, those put in front from the last to the first', () => {
    const all = ['-A PREROUTING -j OTHER', '-A PREROUTING -j SECOND', '-A PREROUTING -j FIRST']
    expect(texts(new RuleChains(lines, JUMPS), 'PREROUTING')).toEqual(all)
  })

  test('that were put behind come after all others', () => {
    const isLast = (line: string) => line.endsWith('OTHER')
    expect(texts(new RuleChains(lines, { ...JUMPS, isLast }), 'PREROUTING')?.at(-1)).toBe('-A PREROUTING -j OTHER')
  })

  test('stand twice where there are two of them', () => {
    const twice = ruleset({ [FIRST]: '', [`${FIRST} #2`]: '' })
    expect(texts(new RuleChains(twice, JUMPS), 'PREROUTING')).toEqual(Array(2).fill('-A PREROUTING -j FIRST'))
  })

  test('come after the text of a chain that is ours as well', () => {
    const both = ruleset({ 'nat -A X -j DROP': '', 'nat X': '-A X -j ACCEPT' })
    expect(texts(new RuleChains(both, { units: [] }), 'X')).toEqual(['-A X -j ACCEPT', '-A X -j DROP'])
  })
})

test('a chain of ours without rules has none; of a chain that is not ours nothing is known', () => {
  const chains = new RuleChains(ruleset({ 'nat X': '', 'set X': '' }), { units: [] })
  expect([texts(chains, 'X'), texts(chains, 'Y'), chains.rules('filter', 'X')]).toEqual([[], undefined, undefined])
})

test('a chain is parsed once, when the first packet enters it', () => {
  const parsed: string[] = []
  const parse = (line: string) => {
    parsed.push(line)
    return parseRule(line)
  }
  const chains = new RuleChains(ruleset({ 'nat X': '-A X -j DROP', 'nat Y': 'no rule at all' }), { units: [] }, parse)
  expect(chains.rules('nat', 'X')).toBe(chains.rules('nat', 'X'))
  expect(parsed).toEqual(['-A X -j DROP'])
})

test('the endpoint of a list of clients is the one of the chain that keeps it', () => {
  const keeps = '-p tcp -m recent --set --name SEP --rsource'
  const chains = new RuleChains(
    ruleset({
      'nat SEP': `-A SEP -s 10.1.0.1/32 -j MARK\n-A SEP ${keeps} -j DNAT --to-destination 10.1.0.1:80`,
      // It keeps the list of another chain.
      'nat OTHER': `-A OTHER ${keeps} -j DNAT --to-destination 10.1.0.2:80`,
    }),
    { units: [] },
  )
  const found = ['SEP', 'OTHER', 'GONE'].map(list => chains.destinationOf(list))
  expect(found).toEqual(['10.1.0.1:80', undefined, undefined])
})

test('a rule of one chain in the unit of another ends the trace', () => {
  const misplaced = ruleset({ 'nat START': '-A OTHER -j ACCEPT', 'nat -A PREROUTING -j START': '' })
  expect(() => paths(misplaced)).toThrow('stands among the rules of START')
})
