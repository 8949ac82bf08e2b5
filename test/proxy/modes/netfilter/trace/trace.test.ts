import { describe, expect, test } from 'vitest'
import type { Ruleset } from '#proxy/modes/mode.ts'
import { pathOf } from '#proxy/modes/netfilter/trace/packet.ts'
import { type Tracing, traced } from '#proxy/modes/netfilter/trace/trace.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import { fateOf } from '../../../../support/fate.ts'
import { ip } from '../../../../support/objects.ts'
import { ruleset, unit } from '../../../../support/units.ts'
import { A, FROM_NODE, FROM_POD, fate, rules, UNTOUCHED } from './rules.ts'

// One evaluator for every mode that writes chains, with what a mode has of its own.

const FIRST = unit('nat -A PREROUTING -j KUBE-FIRST')
const SECOND = unit('nat -A PREROUTING -j KUBE-SECOND')
const SECOND_CHAIN = unit('nat KUBE-SECOND')
const RULES: Ruleset = new Map([
  [FIRST, ''],
  [SECOND, ''],
  [unit('nat KUBE-FIRST'), ''],
  [SECOND_CHAIN, '-A KUBE-SECOND -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.2:8080'],
])

function paths(given: Ruleset, packet: Packet, more: Partial<Tracing> = {}) {
  return traced(given, packet, { jumps: { units: [FIRST, SECOND] }, ...more }).map(pathOf)
}

describe('single lines', () => {
  const chains = (tracing: Partial<Tracing>) =>
    paths(new Map([...RULES, [SECOND_CHAIN, '']]), FROM_POD, tracing).flatMap(({ hops }) => hops.map(({ did }) => did))

  test('that were put in front are passed from the last to the first', () => {
    expect(chains({})).toEqual(['jump KUBE-SECOND', 'jump KUBE-FIRST'])
  })
  test('that were put behind are passed in their order', () => {
    const jumps = { units: [FIRST, SECOND], isLast: () => true }
    expect(chains({ jumps })).toEqual(['jump KUBE-FIRST', 'jump KUBE-SECOND'])
  })
})

describe('what a mode has of its own', () => {
  test('is a match', () => {
    const given = new Map([...RULES, [SECOND_CHAIN, '-A KUBE-SECOND -m set --match-set A dst -j DROP']])
    expect(() => paths(given, FROM_POD)).toThrow('has a match "set", which is not known here')
    const fate = fateOf(paths(given, FROM_POD, { matches: { set: () => 0.25 } }))
    expect(Object.fromEntries(fate)).toEqual({ dropped: 0.25, untouched: 0.75 })
  })

  test('is a target', () => {
    const change = () => ({ listener: 'tcp shop/cart', to: ip('10.99.0.2'), port: 20_000 })
    const targets = { DNAT: () => ({ did: 'redirect', onward: 'done', change }) as const }
    const [state] = traced(RULES, FROM_POD, { jumps: { units: [FIRST, SECOND] }, targets })
    expect(state).toMatchObject({ listener: 'tcp shop/cart', port: 20_000 })
  })

  test('is a server between the way in and the way out', () => {
    const given = ruleset({
      'filter -A INPUT -j KUBE-IN': '',
      'filter KUBE-IN': '',
      'nat -A POSTROUTING -j KUBE-OUT': '',
      'nat KUBE-OUT': '-A KUBE-OUT -j MASQUERADE',
    })
    const to = ip('10.244.2.2')
    const tracing: Partial<Tracing> = {
      isLocal: address => address === FROM_POD.to,
      serve: state => [{ ...state, to, endpoint: '10.244.2.2:8080' }],
    }
    const [path] = paths(given, FROM_POD, tracing)
    expect(path!.hops.map(({ at }) => at)).toEqual(['filter INPUT', 'nat POSTROUTING', 'nat KUBE-OUT'])
    expect(path!.end).toEqual({ to: 'endpoint', endpoint: '10.244.2.2:8080', masqueraded: true })
    expect(paths(given, FROM_NODE, tracing)[0]!.hops.map(({ at }) => at)).toEqual(['nat POSTROUTING', 'nat KUBE-OUT'])
  })
})

describe('the way through the kernel', () => {
  const LINES = [
    'nat -A PREROUTING -j ENTER',
    'nat -A OUTPUT -j ENTER',
    'nat -A POSTROUTING -j LEAVE',
    'filter -A INPUT -j IN',
    'filter -A FORWARD -j THROUGH',
    'filter -A OUTPUT -j OUT',
  ]
  const CHAINS = ['nat ENTER', 'filter IN', 'filter THROUGH', 'filter OUT', 'nat LEAVE']
  const visits = (packet: Packet, enter: readonly string[] = []): readonly string[] => {
    const chains = Object.fromEntries(CHAINS.map(unit => [unit, unit === 'nat ENTER' ? enter : ['']]))
    return paths(rules(chains, LINES), packet)[0]!
      .hops.filter(({ did }) => did === 'nothing')
      .map(({ at }) => at)
  }

  test('a packet that passes', () => expect(visits(FROM_POD)).toEqual(['filter THROUGH', 'nat LEAVE']))
  test('a packet for the node', () => expect(visits({ ...FROM_POD, to: ip('10.99.0.2') })).toEqual(['filter IN']))
  test('a packet for any loopback address is for the node', () =>
    expect(visits({ ...FROM_POD, to: ip('127.3.2.1') })).toEqual(['filter IN']))
  test('a packet that was sent to the node instead', () =>
    expect(visits(FROM_POD, ['-j DNAT --to-destination 10.99.0.2:8080'])).toEqual(['filter IN']))
  test('a packet from the node', () => expect(visits(FROM_NODE)).toEqual(['filter OUT', 'nat LEAVE']))
  test('a packet from the node to itself comes in again', () =>
    expect(visits({ ...FROM_NODE, to: ip('10.99.0.2') })).toEqual(['filter OUT', 'nat LEAVE', 'filter IN']))

  test('filter sees the destination and the state that nat has made', () => {
    const chains = {
      'nat ENTER': [A],
      'filter THROUGH': ['-d 10.244.1.5/32 -m conntrack --ctstate DNAT -j REJECT --reject-with icmp-port-unreachable'],
    }
    expect(
      fate(
        rules(
          chains,
          LINES.filter(line => !/LEAVE|IN$|OUT$/.test(line)),
        ),
      ),
    ).toEqual({ rejected: 1 })
  })

  test('only what leaves is masqueraded', () => {
    const chains = Object.fromEntries(
      CHAINS.map(unit => [unit, unit === 'nat LEAVE' ? ['-j MASQUERADE --random-fully'] : []]),
    )
    expect(fate(rules(chains, LINES))).toEqual({ 'untouched masqueraded': 1 })
    expect(fate(rules(chains, LINES), { ...FROM_POD, to: ip('10.99.0.2') })).toEqual(UNTOUCHED)
  })
})
