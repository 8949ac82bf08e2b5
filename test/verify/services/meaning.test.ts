import { describe, expect, test } from 'vitest'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import type { End, Packet, Path } from '#proxy/modes/trace.ts'
import { changeOf, type MeaningParts, meaningFor } from '#verify/services/meaning.ts'
import { cidr, ip } from '../../support/objects.ts'
import { ruleset, unit } from '../../support/units.ts'

// The rules of these tests say only where packets end, each with its share: what they mean is in words.

const ENDS = unit('ends')
const A = '10.1.0.1:80'
const B = '10.1.0.2:80'

type Ends = readonly (readonly [End, number])[]

const rulesOf = (ends: Ends): Ruleset => new Map([[ENDS, JSON.stringify(ends)]])
const at = (endpoint: string, masqueraded = false): End => ({ to: 'endpoint', endpoint, masqueraded })
const GONE: End = { to: 'dropped' }
const PAST: End = { to: 'untouched', masqueraded: false }

const trace: Mode['trace'] = rules => {
  const ends = JSON.parse(rules.get(ENDS) ?? 'no rules') as Ends
  return ends.map(([end, share]): Path => ({ end, share, hops: [] }))
}

const VIEW = { family: 'ipv4', localPods: { by: 'cidr', cidr: cidr('10.1.0.0/16') } } as unknown as NodeView
const PACKET: Packet = {
  ...{ protocol: 'tcp', from: ip('10.1.0.9'), to: ip('10.96.0.10'), port: 80 },
  ...{ via: { hook: 'output' }, nodeAddresses: [ip('10.99.0.2')] },
}

function parts(installed: Ends, wanted: Ends): MeaningParts {
  const about = { mode: { trace }, view: VIEW, nodeAddresses: PACKET.nodeAddresses }
  return { ...about, installed: rulesOf(installed), wanted: rulesOf(wanted) }
}

const change = (installed: Ends, wanted: Ends, packet = PACKET) => changeOf(packet, parts(installed, wanted))

const ALL: Ends = [[at(A), 1]]
const BOTH: Ends = [
  [at(A), 0.5],
  [at(B), 0.5],
]

describe('connections', () => {
  test.each<readonly [string, Ends, Ends, string]>([
    ['that are refused', [[{ to: 'rejected' }, 1]], ALL, 'will be refused'],
    ['that are dropped', [[GONE, 1]], ALL, 'will be dropped'],
    ['that nothing leads', [[PAST, 1]], ALL, 'will pass this node as they are, to an address that no machine has'],
    [
      'that end otherwise than they should',
      [[GONE, 1]],
      [[{ to: 'rejected' }, 1]],
      'will be dropped, not will be refused',
    ],
    ['that should end', ALL, [[{ to: 'rejected' }, 1]], `will reach ${A}, where none should answer`],
    ['that go to one more', BOTH, ALL, `may reach ${B}, which is no endpoint of it`],
    ['that miss one', ALL, BOTH, `will never reach ${B}`],
    [
      'in other proportions',
      [
        [at(A), 0.9],
        [at(B), 0.1],
      ],
      BOTH,
      'reach its endpoints in other proportions',
    ],
    ['that are masqueraded', [[at(A, true), 1]], ALL, "reach its endpoints with this node's address as their source"],
    [
      'that are not masqueraded',
      ALL,
      [[at(A, true), 1]],
      'reach its endpoints with a source that this node does not see again',
    ],
    [
      'that pass masqueraded',
      [[{ ...PAST, masqueraded: true }, 1]],
      [[PAST, 1]],
      'pass this node with another source than they should',
    ],
  ])('%s', (_, installed, wanted, says) => expect(change(installed, wanted)).toBe(says))

  test('that go where they should are no change, whatever way they take', () => {
    expect(change(BOTH, BOTH)).toBeUndefined()
    expect(change(BOTH.toReversed(), BOTH)).toBeUndefined()
    // Rules that choose twice, and come to the same.
    const twice: Ends = [
      [at(A), 0.25],
      [at(B), 0.5],
      [at(A), 0.25],
    ]
    expect(change(twice, BOTH)).toBeUndefined()
  })

  test('of which only some are lost reach their endpoints less often, and that is said', () => {
    const half: Ends = [
      [at(A), 0.5],
      [GONE, 0.5],
    ]
    expect(change(half, ALL)).toBe('will be dropped, some of them')
    expect(change([...half.slice(1), [at(A), 0.25], [at(B), 0.25]], BOTH)).toBe('will be dropped, some of them')
  })

  test('of which only some are masqueraded have the source that the rules say', () => {
    const some: Ends = [
      [at(A), 0.5],
      [at(B, true), 0.5],
    ]
    expect(change(some, BOTH)).toBe("reach its endpoints with this node's address as their source")
    expect(
      change(some, [
        [at(A, true), 0.5],
        [at(B, true), 0.5],
      ]),
    ).toBe('reach its endpoints with a source that this node does not see again')
  })

  test('to an address of this node end here, where no rule leads them on', () => {
    const here = { ...PACKET, to: ip('10.99.0.2') }
    expect(change([[PAST, 1]], ALL, here)).toBe('will end at this node, where no program may listen')
  })

  test('that cannot be followed are named with the reason', () => {
    const broken = { ...parts(ALL, ALL), installed: ruleset({}) }
    expect(changeOf(PACKET, broken)).toMatch(/^cannot be followed: /)
  })

  test('to very many endpoints name the first of them', () => {
    const many: Ends = Array.from({ length: 5 }, (_, i) => [at(`10.1.0.${i}:80`), 0.2] as const)
    expect(change(many, [[GONE, 1]])).toBe(
      'will reach 10.1.0.0:80, 10.1.0.1:80, 10.1.0.2:80 and 2 more, where none should answer',
    )
    expect(change(many, ALL)).toMatch(/ and 1 more, which are no endpoint of it$/)
  })
})

describe('of a service port', () => {
  const frontend: Frontend = {
    kind: 'cluster-ip',
    ip: ip('10.96.0.10'),
    port: 80,
    verdict: { to: 'gate' },
    admits: 'all',
  }
  const traffic = (more: Partial<ServiceTraffic> = {}) => {
    const pools = { cluster: [{ ip: ip('10.1.0.1'), port: 80, text: A, local: true } satisfies Endpoint], local: [] }
    return { id: 'a/b', protocol: 'tcp', pools, frontends: [frontend], ...more } as unknown as ServiceTraffic
  }
  /** Rules that drop packets from these clients. */
  const dropping = (from: (packet: Packet) => boolean): Mode['trace'] => {
    return (rules, packet) =>
      rules.has(ENDS) && from(packet) ? [{ end: GONE, share: 1, hops: [] }] : [{ end: at(A), share: 1, hops: [] }]
  }
  const means = (from: (packet: Packet) => boolean, more?: Partial<ServiceTraffic>, view = VIEW) =>
    meaningFor(traffic(more), { ...parts(ALL, ALL), wanted: ruleset({}), view, mode: { trace: dropping(from) } })

  test('clients with the same fate are named together, in one sentence a frontend', () => {
    expect(means(() => true)).toEqual([
      'connections to a/b at 10.96.0.10:80/tcp from pods, outside, this node and its own endpoints will be dropped',
    ])
    expect(means(({ via }) => via.hook === 'output')).toEqual([
      'connections to a/b at 10.96.0.10:80/tcp from this node will be dropped',
    ])
    expect(means(() => false)).toEqual([])
  })

  test('clients come from where rules treat them otherwise: a pod from the pods, a client from the allowed range', () => {
    const seen: string[] = []
    const spy = ({ from, via }: Packet) => {
      seen.push(`${from} ${via.hook === 'output' ? '' : via.iface}`.trim())
      return false
    }
    means(spy, { frontends: [{ ...frontend, sourceRanges: [cidr('192.0.2.0/24')] }] })
    expect(seen).toEqual(['10.1.0.5 cni0', '192.0.2.5 eth0', '10.99.0.2', '10.1.0.1 cni0'])
    seen.length = 0
    const byName = { ...VIEW, localPods: { by: 'interface-prefix', prefix: 'veth' } } as unknown as NodeView
    means(spy, { pools: { cluster: [], local: [] } }, byName)
    expect(seen).toEqual(['10.244.255.5 veth0', '203.0.113.9 eth0', '10.99.0.2'])
  })

  test('a node port is asked for at an address of this node, and not at all where none is known', () => {
    const port = { ...frontend, kind: 'node-port', ip: undefined, port: 30080 } as unknown as Frontend
    expect(means(() => true, { frontends: [port] })[0]).toContain('at 10.99.0.2:30080/tcp')
    const nowhere = { ...parts(ALL, ALL), nodeAddresses: [ip('127.0.0.1'), ip('fd00::1')] }
    expect(meaningFor(traffic({ frontends: [port] }), nowhere)).toEqual([])
  })
})
