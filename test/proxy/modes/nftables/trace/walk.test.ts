import fc from 'fast-check'
import { expect, test } from 'vitest'
import { walk } from '#proxy/modes/nftables/trace/walk.ts'
import { ruleset } from '../../../../support/units.ts'
import { packet } from './packet.ts'

/** How a packet leaves the chain START, and what was done to it. */
function ends(chains: Readonly<Record<string, readonly string[]>>) {
  const texts = Object.entries(chains).map(([chain, lines]) => [`chain ${chain}`, lines.join('\n')])
  return walk(ruleset(Object.fromEntries(texts)), 'START', packet()).map(({ end, traced }) => [
    end,
    traced.share,
    ...traced.hops.map(({ did }) => did),
  ])
}

const HOOK = 'type filter hook input priority 0 ; policy accept'

test.each([
  ['an empty chain, and one that is not there, let it go on', { START: [] }, ['on', 1]],
  ['the hook is no rule', { START: [HOOK, 'drop'] }, ['drop', 1, 'drop']],
  ['rules are asked in order', { START: ['udp dport 80 drop', 'accept', 'drop'] }, ['accept', 1, 'accept']],
  [
    'a statement that does not match ends its rule',
    { START: ['meta l4proto udp meta mark set meta mark | 0x4000'] },
    ['on', 1],
  ],
  [
    'what a rule did stays where its next statement does not match',
    { START: ['meta mark set meta mark | 0x4000 udp dport 80 drop'] },
    ['on', 1, 'mark for masquerade'],
  ],
  ['behind a jump it goes on', { START: ['jump A', 'drop'], A: [] }, ['drop', 1, 'jump A', 'drop']],
  [
    'return leaves the chain and no more',
    { START: ['jump A', 'drop'], A: ['return', 'accept'] },
    ['drop', 1, 'jump A', 'return', 'drop'],
  ],
  ['behind a goto it does not go on', { START: ['goto A', 'drop'], A: [] }, ['on', 1, 'goto A']],
  [
    'a goto comes back behind the jump before it',
    { START: ['jump A', 'drop'], A: ['goto B', 'accept'], B: [] },
    ['drop', 1, 'jump A', 'goto B', 'drop'],
  ],
  [
    'a verdict inside is a verdict for all',
    { START: ['jump A', 'drop'], A: ['reject'] },
    ['reject', 1, 'jump A', 'reject'],
  ],
])('%s', (_, chains, expected) => expect(ends(chains)).toEqual([expected]))

test('however a packet is split, its parts add up to the whole', () => {
  const line = fc.oneof(
    fc.integer({ min: 1, max: 4 }).map(n => {
      const choices = Array.from({ length: n }, (_, i) => `${i} : ${['goto A', 'jump B', 'drop', 'accept'][i]}`)
      return `numgen random mod ${n} vmap { ${choices.join(' , ')} }`
    }),
    fc.constantFrom('udp dport 80 drop', 'jump B', 'numgen random mod 3 vmap { 1 : jump B }'),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 4 }), start => {
      const shares = ends({ START: start, A: ['numgen random mod 2 vmap { 0 : drop }'], B: [] }).map(
        ([, share]) => share as number,
      )
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9)
    }),
  )
})
