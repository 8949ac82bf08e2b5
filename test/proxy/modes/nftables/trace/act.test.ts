import { describe, expect, test } from 'vitest'
import type { Ruleset } from '#proxy/modes/mode.ts'
import { act } from '#proxy/modes/nftables/trace/act.ts'
import { statementsOf } from '#proxy/modes/nftables/trace/parse.ts'
import { ruleset } from '../../../../support/units.ts'
import { packet } from './packet.ts'

const NONE = ruleset({})

/** What the first statement of a rule makes of a packet, packet by packet. */
function done(rule: string, rules: Ruleset = NONE, traced = packet()) {
  const [statement] = statementsOf(rule)
  return act({ rules, chain: 'x', rule }, statement!, traced).map(({ traced, verdict }) => ({
    verdict,
    ...{ share: traced.share, to: traced.to, port: traced.port, state: [...traced.state] },
    hops: traced.hops.map(({ at, did }) => `${at}: ${did}`),
  }))
}

const AS_IT_WAS = { share: 1, to: '10.96.0.10', port: 80, state: [], hops: [] }

describe('a match', () => {
  test.each([
    ['ip daddr 10.96.0.10', 'goes on'],
    ['ip daddr != 10.96.0.0/12', 'no match'],
    // A port of another protocol is none, whatever it is compared with.
    ['udp dport 80', 'no match'],
    ['udp dport != 80', 'no match'],
  ])('%s: %s', (rule, verdict) => expect(done(rule)).toEqual([{ ...AS_IT_WAS, verdict }]))
})

describe('a look into a map', () => {
  const rules = ruleset({
    'element service-ips 10.96.0.10 . tcp . 80': 'comment "a : b" : goto service-x',
    'element endpoints-tcp 10.96.0.10 . 80 . 0': ': 10.1.0.1 . 8080',
    'element endpoints-tcp 10.96.0.10 . 80 . 1': ': 10.1.0.2 . 8080',
  })

  test('finds the verdict behind the comment', () => {
    expect(done('ip daddr . meta l4proto . th dport vmap @service-ips', rules)).toEqual([
      { ...AS_IT_WAS, verdict: 'goto service-x', hops: ['service-ips: goto service-x'] },
    ])
  })

  test('that has no such key does not match', () => {
    const elsewhere = packet({ port: 81 })
    expect(done('ip daddr . meta l4proto . th dport vmap @service-ips', rules, elsewhere)).toEqual([
      { ...AS_IT_WAS, port: 81, verdict: 'no match' },
    ])
  })

  test('by a drawn number splits the packet evenly, and each part is translated', () => {
    const rule = 'dnat ip to ip daddr . tcp dport . numgen random mod 2 map @endpoints-tcp'
    const part = { share: 0.5, port: 8080, state: ['translated'], verdict: 'accept' }
    expect(done(rule, rules)).toEqual([
      { ...part, to: '10.1.0.1', hops: ['endpoints-tcp: dnat to 10.1.0.1:8080'] },
      { ...part, to: '10.1.0.2', hops: ['endpoints-tcp: dnat to 10.1.0.2:8080'] },
    ])
  })

  test('by a number that the map lacks leaves that part where it was', () => {
    const rule = 'dnat ip to ip daddr . tcp dport . numgen random mod 3 map @endpoints-tcp'
    expect(done(rule, rules).map(({ share, verdict }) => [share, verdict])).toEqual([
      [1 / 3, 'accept'],
      [1 / 3, 'accept'],
      [1 / 3, 'no match'],
    ])
  })

  test('may be into choices that stand in the rule', () => {
    const rule = 'numgen random mod 2 vmap { 0 : goto a , 1 : goto b }'
    expect(done(rule).map(({ verdict, hops }) => [verdict, ...hops])).toEqual([
      ['goto a', 'x: goto a'],
      ['goto b', 'x: goto b'],
    ])
  })
})

describe('a statement', () => {
  test.each([
    [
      'dnat to 10.1.0.1:8080',
      { verdict: 'accept', to: '10.1.0.1', port: 8080, state: ['translated'], hops: ['x: dnat to 10.1.0.1:8080'] },
    ],
    [
      'dnat to [fd00::1]:8080',
      { verdict: 'accept', to: 'fd00::1', port: 8080, state: ['translated'], hops: ['x: dnat to [fd00::1]:8080'] },
    ],
    ['meta mark set meta mark | 0x4000', { verdict: 'goes on', state: ['marked'], hops: ['x: mark for masquerade'] }],
    ['masquerade fully-random', { verdict: 'accept', state: ['masqueraded'], hops: ['x: masquerade'] }],
    ['update @affinity-x { ip saddr timeout 60s }', { verdict: 'goes on' }],
    ['drop', { verdict: 'drop', hops: ['x: drop'] }],
  ] as const)('%s', (rule, expected) => expect(done(rule)).toEqual([{ ...AS_IT_WAS, ...expected }]))

  test('that clears the mark leaves what else is known of the packet', () => {
    const traced = packet({ state: new Set(['marked', 'translated'] as const) })
    expect(done('meta mark set meta mark ^ 0x4000', NONE, traced)[0]!.state).toEqual(['translated'])
  })

  test('that this mode does not write ends the trace', () => {
    expect(() => done('ip ttl 3 drop')).toThrow('cannot trace "ip ttl 3 drop" in chain x')
  })
})
