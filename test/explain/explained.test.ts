import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ExplainParts, explained } from '#explain/explained.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import type { Packet, Path } from '#proxy/modes/trace.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { familyOf } from '#values/address.ts'
import { packetOf, throws } from '../conformance/packets.ts'
import { type World, worlds } from '../conformance/worlds.ts'
import { withoutLocalhost } from '../proxy/modes/ipvs/differences.ts'
import { modeOf as ipvsIn } from '../proxy/modes/ipvs/scene.ts'
import { modeOf as nftablesIn } from '../proxy/modes/nftables/scene.ts'
import { TOOLS, userspaceIn } from '../proxy/modes/userspace/tools.ts'
import type { ModeOf } from '../stories/check.ts'
import { STORY_FLAGS } from '../stories/flag-line.ts'
import { nodeFacts } from '../support/flags.ts'
import { endpoint, ip, port, service, slice, slicePort } from '../support/objects.ts'

// What an explanation says of rules that are as they should be, and of those that are not.

const RUNS = Number(process.env.CONFORMANCE_RUNS ?? 60)
const SEED = Number(process.env.CONFORMANCE_SEED ?? Math.floor(Math.random() * 2 ** 31))

const MODES = {
  iptables: family => iptables(TOOLS[family]),
  nftables: nftablesIn,
  userspace: userspaceIn,
  ipvs: ipvsIn,
} as const satisfies Record<string, ModeOf>

function partsOf({ objects, ...world }: World, packet: Packet, modeOf: ModeOf): ExplainParts {
  const family = familyOf(packet.to)
  const mode = modeOf(family)
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const flags = mode.needs.localhost ? world.flags : withoutLocalhost(world.flags)
  const draft = new Draft(cluster, mode, nodeFacts({ ...world, flags, family }))
  draft.update()
  const { thisNode, view } = draft.nodeFacts!
  return {
    ...{ mode, ruleset: draft.book.rules, node: 'here', rules: 'wanted', packet },
    from: { label: packet.from, address: packet.from },
    to: { label: '', address: packet.to, port: packet.port, protocol: packet.protocol },
    asked: { cluster, thisNode, view },
    around: { nodes: [], pods: undefined, leased: undefined },
    before: [],
    after: endpoint => [{ at: 'behind', text: endpoint }],
  }
}

/**
 * None comes in from an address that the node itself has, as it has those of Services in ipvs mode. None goes to an
 * address that a Service has in two ways: there, modes do not agree on which one counts.
 */
function isSent({ from, via, to }: Packet, { objects }: World): boolean {
  const services = objects.filter(one => one.kind === 'Service')
  const isOfService = services.some(one => [...one.externalIPs, ...one.loadBalancerIPs].includes(from))
  const isTwice = services.some(
    one => [...one.clusterIPs, ...one.externalIPs, ...one.loadBalancerIPs].filter(ip => ip === to).length > 1,
  )
  return (via.hook === 'output' || !isOfService) && !isTwice
}

test.each(Object.entries(MODES))(
  `in %s mode, reasons and ways of rules as they should be agree (seed ${SEED})`,
  { timeout: 120_000 },
  (_, modeOf) => {
    fc.assert(
      fc.property(worlds, throws, (world, dice) => {
        for (const packet of dice.map(one => packetOf(world, one)).filter(one => isSent(one, world))) {
          const { ways, reason, findings } = explained(partsOf(world, packet, modeOf))
          const where = JSON.stringify({ packet, ways, reason })
          expect(findings, where).toEqual([])
          const isReached = ways.some(({ end }) => end.to === 'endpoint')
          for (const { end, source } of ways) expect(source !== undefined, where).toBe(end.to === 'endpoint')
          expect(reason === undefined, where).toBe(isReached)
          // A reason never contradicts itself.
          const [, missing, listed] = / which has no port (\S+); it has (.*)$/.exec(reason?.text ?? '') ?? []
          expect(listed?.split(', ').some(one => one.startsWith(`${missing}`)) ?? false, where).toBe(false)
        }
      }),
      { numRuns: RUNS, seed: SEED },
    )
  },
)

const PACKET: Packet = {
  ...{ protocol: 'tcp', from: ip('10.244.1.9'), to: ip('10.96.0.10'), port: 80, nodeAddresses: [ip('10.99.0.2')] },
  via: { hook: 'prerouting', iface: 'cni0' },
}
const WORLD: Pick<World, 'objects' | 'flags' | 'addresses' | 'dispatch'> = {
  objects: [
    service('shop/cart', ['10.96.0.10']),
    slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2'), endpoint('10.244.1.3')]),
    service('shop/closed', ['10.96.0.11']),
  ],
  ...{ flags: STORY_FLAGS, addresses: PACKET.nodeAddresses, dispatch: 'flat' },
}

/** Rules of a kernel that lead this packet to these ends. */
function foundIn(ends: readonly Path['end'][], packet: Packet = PACKET) {
  const parts = partsOf({ ...WORLD, pods: [] }, packet, MODES.iptables)
  const paths = ends.map((end): Path => ({ share: 1 / ends.length, hops: [], end }))
  return explained({ ...parts, rules: 'of the kernel', mode: { ...parts.mode, trace: () => paths } })
}

describe('of rules that are not as they should be', () => {
  const to = (text: string): Path['end'] => ({ to: 'endpoint', endpoint: text, masqueraded: false })

  test('nothing is found where they lead to the endpoints', () => {
    const { findings, reason } = foundIn([to('10.244.1.2:8080'), to('10.244.1.3:8080')])
    expect([findings, reason]).toEqual([[], undefined])
  })

  test('endpoints that are gone are named once each', () => {
    const stale = to('10.244.1.4:8080')
    expect(foundIn([to('10.244.1.2:8080'), stale, stale, to('10.244.1.2:81')]).findings).toEqual([
      '10.244.1.4:8080 is no endpoint of shop/cart: the rules are out of date',
      '10.244.1.2:81 is no endpoint of shop/cart: the rules are out of date',
    ])
  })

  test.each<Path['end']>([{ to: 'dropped' }, { to: 'rejected' }, { to: 'untouched', masqueraded: false }])(
    'a packet that should reach an endpoint and is %j is one',
    end => {
      const { findings, reason } = foundIn([end])
      expect(findings).toEqual([
        'the rules lead to no endpoint of shop/cart, and they should: "switchyard verify" names what differs',
      ])
      expect(reason).toBeUndefined()
    },
  )

  test('a packet that should be refused and reaches an endpoint is one', () => {
    const { findings, reason } = foundIn([to('10.244.1.2:8080')], { ...PACKET, to: ip('10.96.0.11') })
    expect(findings).toEqual([
      expect.stringMatching(/^the rules lead to an endpoint, and they should not: shop\/closed has no endpoints: /),
    ])
    expect(reason).toBeUndefined()
  })
})

test('without objects there are ways, and neither reasons nor findings', () => {
  const { asked, ...parts } = partsOf({ ...WORLD, pods: [] }, PACKET, MODES.iptables)
  const { ways, findings, reason } = explained(parts)
  expect(ways).toMatchObject([
    { share: 0.5, end: { endpoint: '10.244.1.2:8080' }, after: [{ at: 'behind', text: '10.244.1.2:8080' }] },
    { share: 0.5, end: { endpoint: '10.244.1.3:8080' } },
  ])
  expect([ways[0]?.source, findings, reason, asked === undefined]).toEqual([undefined, [], undefined, false])
})

test('stations lead to the address itself where no rule changes it, and nowhere from what is refused', () => {
  const behind = (to: string) =>
    explained(partsOf({ ...WORLD, pods: [] }, { ...PACKET, to: ip(to) }, MODES.iptables)).ways.map(({ after }) => after)
  expect(behind('203.0.113.7')).toEqual([[{ at: 'behind', text: '203.0.113.7' }]])
  expect(behind('10.96.0.11')).toEqual([[]])
})

test('userspace mode takes no SCTP, and says so', () => {
  const objects = [
    service('shop/cart', ['10.96.0.10'], { ports: [port({ port: 80, protocol: 'sctp' })] }),
    slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2')], { ports: [slicePort(8080, '', 'sctp')] }),
  ]
  const { reason, findings } = explained(
    partsOf({ ...WORLD, objects, pods: [] }, { ...PACKET, protocol: 'sctp' }, MODES.userspace),
  )
  expect(reason?.text).toBe('shop/cart is of SCTP, which the relay of userspace mode does not take')
  expect(findings).toEqual([])
})
