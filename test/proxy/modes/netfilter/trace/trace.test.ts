import { describe, expect, test } from 'vitest'
import type { Ruleset } from '#proxy/modes/mode.ts'
import { pathOf } from '#proxy/modes/netfilter/trace/packet.ts'
import { type Tracing, traced } from '#proxy/modes/netfilter/trace/trace.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import { fateOf } from '../../../../support/fate.ts'
import { ip } from '../../../../support/objects.ts'
import { ruleset, unit } from '../../../../support/units.ts'

// One evaluator for every mode that writes chains, with what a mode has of its own.

const PACKET: Packet = {
  protocol: 'tcp',
  from: ip('10.244.1.7'),
  to: ip('10.96.0.10'),
  port: 80,
  via: { hook: 'prerouting', iface: 'cni0' },
  nodeAddresses: [ip('10.99.0.2')],
}
const FROM_NODE: Packet = { ...PACKET, from: ip('10.99.0.2'), via: { hook: 'output' } }
const FIRST = unit('nat -A PREROUTING -j KUBE-FIRST')
const SECOND = unit('nat -A PREROUTING -j KUBE-SECOND')
const SECOND_CHAIN = unit('nat KUBE-SECOND')
const RULES: Ruleset = new Map([
  [FIRST, ''],
  [SECOND, ''],
  [unit('nat KUBE-FIRST'), ''],
  [SECOND_CHAIN, '-A KUBE-SECOND -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.2:8080'],
])

function paths(rules: Ruleset, packet: Packet, more: Partial<Tracing> = {}) {
  return traced(rules, packet, { jumps: { units: [FIRST, SECOND] }, ...more }).map(pathOf)
}

describe('single lines', () => {
  const chains = (tracing: Partial<Tracing>) =>
    paths(new Map([...RULES, [SECOND_CHAIN, '']]), PACKET, tracing).flatMap(({ hops }) => hops.map(({ did }) => did))

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
    const rules = new Map([...RULES, [SECOND_CHAIN, '-A KUBE-SECOND -m set --match-set A dst -j DROP']])
    expect(() => paths(rules, PACKET)).toThrow('has a match "set", which is not known here')
    const fate = fateOf(paths(rules, PACKET, { matches: { set: () => 0.25 } }))
    expect(Object.fromEntries(fate)).toEqual({ dropped: 0.25, untouched: 0.75 })
  })

  test('is a target', () => {
    const change = () => ({ listener: 'tcp shop/cart', to: ip('10.99.0.2'), port: 20_000 })
    const targets = { DNAT: () => ({ did: 'redirect', onward: 'done', change }) as const }
    const [state] = traced(RULES, PACKET, { jumps: { units: [FIRST, SECOND] }, targets })
    expect(state).toMatchObject({ listener: 'tcp shop/cart', port: 20_000 })
  })

  test('is a server between the way in and the way out', () => {
    const rules: Ruleset = ruleset({
      'filter -A INPUT -j KUBE-IN': '',
      'filter KUBE-IN': '',
      'nat -A POSTROUTING -j KUBE-OUT': '',
      'nat KUBE-OUT': '-A KUBE-OUT -j MASQUERADE',
    })
    const to = ip('10.244.2.2')
    const tracing: Partial<Tracing> = {
      isLocal: address => address === PACKET.to,
      serve: state => [{ ...state, to, endpoint: '10.244.2.2:8080' }],
    }
    const [path] = paths(rules, PACKET, tracing)
    expect(path!.hops.map(({ at }) => at)).toEqual(['filter INPUT', 'nat POSTROUTING', 'nat KUBE-OUT'])
    expect(path!.end).toEqual({ to: 'endpoint', endpoint: '10.244.2.2:8080', masqueraded: true })
    expect(paths(rules, FROM_NODE, tracing)[0]!.hops.map(({ at }) => at)).toEqual(['nat POSTROUTING', 'nat KUBE-OUT'])
  })
})
