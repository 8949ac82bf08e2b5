import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { CHAINS } from '#proxy/modes/iptables/chains.ts'
import { trace } from '#proxy/modes/iptables/trace.ts'
import { unitsIn } from '#proxy/modes/netfilter/chains.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import { fateOf } from '../../../support/fate.ts'
import { ip } from '../../../support/objects.ts'
import { FROM_NODE, FROM_POD, UNTOUCHED } from '../netfilter/trace/rules.ts'

describe('rules that kube-proxy 1.36 wrote itself', () => {
  const save = readFileSync(new URL('../../../../fixtures/saves/iptables-1.36-v4.save', import.meta.url), 'utf8')
  const REAL = unitsIn(save, CHAINS)
  const half = (...ends: readonly string[]) => Object.fromEntries(ends.map(end => [end, 0.5]))
  const OUTSIDE: Packet = { ...FROM_POD, from: ip('10.99.0.1'), via: { hook: 'prerouting', iface: 'eth0' } }
  const at = (packet: Packet, to: string, port: number): Packet => ({ ...packet, to: ip(to), port })

  test.for<readonly [string, Packet, Record<string, number>]>([
    ['a pod at a cluster IP', at(FROM_POD, '10.103.132.104', 3306), { '10.244.1.2:3306': 1 }],
    [
      'the pod itself',
      { ...at(FROM_POD, '10.103.132.104', 3306), from: ip('10.244.1.2') },
      { '10.244.1.2:3306 masqueraded': 1 },
    ],
    ['an outside client at a cluster IP', at(OUTSIDE, '10.103.132.104', 3306), { '10.244.1.2:3306 masqueraded': 1 }],
    [
      'an outside client at a Local external IP',
      at(OUTSIDE, '198.18.0.7', 80),
      half('10.244.1.2:8080', '10.244.1.3:8080'),
    ],
    ['an outside client in a source range', at(OUTSIDE, '198.18.0.8', 80), half('10.244.1.2:8080', '10.244.1.3:8080')],
    [
      'an outside client in no source range',
      { ...at(OUTSIDE, '198.18.0.8', 80), from: ip('192.0.2.1') },
      { dropped: 1 },
    ],
    [
      'a node port on localhost',
      { ...at(FROM_NODE, '127.0.0.1', 30090), from: ip('127.0.0.1') },
      half('10.244.2.10:9000 masqueraded', '10.244.2.11:9000 masqueraded'),
    ],
    ['a neighbour at the rest of localhost', at(OUTSIDE, '127.0.0.1', 22), { dropped: 1 }],
    ['a node port of an empty Service', at(OUTSIDE, '10.99.0.2', 30070), { rejected: 1 }],
    ['an empty Service', at(FROM_NODE, '10.100.0.12', 7000), { rejected: 1 }],
    ['a Local cluster IP without local pods', at(FROM_POD, '10.100.0.11', 9000), { dropped: 1 }],
    ['a destination that is no frontend', at(FROM_POD, '10.244.2.9', 8080), UNTOUCHED],
  ])('%s', ([, packet, expected]) => {
    const found = Object.fromEntries(fateOf(trace(REAL, packet)))
    expect(Object.keys(found)).toEqual(Object.keys(expected))
    for (const [end, share] of Object.entries(expected)) expect(found[end]).toBeCloseTo(share, 6)
  })

  test('say the same in whatever order the units were read', () => {
    const turned = new Map([...REAL].reverse())
    expect(trace(turned, at(OUTSIDE, '127.0.0.1', 22))).toEqual(trace(REAL, at(OUTSIDE, '127.0.0.1', 22)))
  })

  test('are traced hop by hop, as the tool prints them', () => {
    const [path] = trace(REAL, { ...at(FROM_POD, '10.103.132.104', 3306), from: ip('10.244.1.2') })
    expect(path!.hops.slice(0, 6).map(({ at, did }) => [at, did])).toEqual([
      ['nat PREROUTING', 'jump KUBE-SERVICES'],
      ['nat KUBE-SERVICES', 'jump KUBE-SVC-3TNEVSQEVUCP4TQO'],
      ['nat KUBE-SVC-3TNEVSQEVUCP4TQO', 'jump KUBE-SEP-I7CURNLPIVBZIY32'],
      ['nat KUBE-SEP-I7CURNLPIVBZIY32', 'jump KUBE-MARK-MASQ'],
      ['nat KUBE-MARK-MASQ', 'mark for masquerade'],
      ['nat KUBE-SEP-I7CURNLPIVBZIY32', 'dnat to 10.244.1.2:3306'],
    ])
    expect(path!.hops[1]!.rule).toBe(
      '-A KUBE-SERVICES -d 10.103.132.104/32 -p tcp -m comment --comment "default/db-service:3306 cluster IP" -m tcp --dport 3306 -j KUBE-SVC-3TNEVSQEVUCP4TQO',
    )
  })
})
