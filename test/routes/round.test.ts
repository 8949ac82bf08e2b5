import { describe, expect, test } from 'vitest'
import { vtepMac } from '#routes/plan/vtep.ts'
import { routeRound } from '#routes/round.ts'
import { address, cidr, FAR, NEAR, RouteStage, routeNode, SELF, SETTINGS } from './stage.ts'

const DIRECT = ['10.244.2.0/24 via 192.0.2.2 dev eth0', 'fd00:244:2::/64 via 2001:db8::2 dev eth0']
const OVER = [
  '10.244.6.0/24 via 10.244.6.0 dev switchyard-vx onlink',
  'fd00:244:6::/64 via fd00:244:6:: dev switchyard-vx onlink',
]

describe('to a node on our link', () => {
  test('routes lead through the node itself, in both families, and no overlay is made', async () => {
    const stage = new RouteStage()
    const { plan } = await stage.round(NEAR)
    expect(stage.laid).toEqual(DIRECT)
    expect([plan.overlay, plan.refused]).toEqual([undefined, []])
  })

  test('a second round changes nothing', async () => {
    const stage = new RouteStage()
    await stage.round(NEAR, FAR)
    expect((await stage.round(NEAR, FAR)).changes).toEqual([])
  })

  test('several ranges, as the ring gives them, are several routes', async () => {
    const stage = new RouteStage()
    await stage.round({ ...NEAR, ranges: [cidr('10.40.0.0/16'), cidr('10.44.8.0/21')] })
    expect(stage.laid).toEqual(['10.40.0.0/16 via 192.0.2.2 dev eth0', '10.44.8.0/21 via 192.0.2.2 dev eth0'])
  })

  test('a node that gets another address keeps its ranges reachable: the new route stands before the old one goes', async () => {
    const stage = new RouteStage()
    await stage.round(NEAR)
    const moved = { ...NEAR, addresses: [address('192.0.2.22'), ...NEAR.addresses.slice(1)] }
    const { changes } = await stage.round(moved)
    expect(changes.map(change => change.do)).toEqual(['add route', 'delete route'])
    expect(stage.laid[0]).toBe('10.244.2.0/24 via 192.0.2.22 dev eth0')
  })

  test('--overlay=vxlan leads over the overlay all the same', async () => {
    const stage = new RouteStage()
    stage.settings = { ...SETTINGS, overlay: 'vxlan' }
    await stage.round(NEAR)
    expect(stage.laid[0]).toBe('10.244.2.0/24 via 10.244.2.0 dev switchyard-vx onlink')
    expect(stage.tunnels).toEqual([`${vtepMac('node-b')} 192.0.2.2`])
  })
})

describe('to a node behind a router', () => {
  test('the overlay is made, with tunnel, neighbours and the address of this node, in the families of the ranges', async () => {
    const stage = new RouteStage()
    await stage.round(NEAR, FAR)
    expect(stage.laid).toEqual([...DIRECT, ...OVER].sort())
    expect(stage.tunnels).toEqual([`${vtepMac('node-f')} 198.51.100.6`])
    expect(stage.neighbours).toEqual(['10.244.6.0', 'fd00:244:6::'].map(one => `${one} ${vtepMac('node-f')}`))
    const link = await stage.routing.link('switchyard-vx')
    expect(link).toMatchObject({ isUp: true, mtu: 1450, mac: vtepMac('node-a') })
    expect(link!.vxlan).toEqual({ vni: 1, port: 8472, local: '192.0.2.1' })
    const own = (await stage.routing.addresses()).filter(one => one.link === link!.index)
    expect(own.map(one => `${one.address}/${one.prefixLength}`)).toEqual(['10.244.1.0/32', 'fd00:244:1::/128'])
  })

  test('over IPv6 it carries 70 bytes less', async () => {
    const stage = new RouteStage()
    const self = { ...SELF, addresses: SELF.addresses.toReversed() }
    const { network } = stage.routing
    await routeRound({
      nodeName: 'node-a',
      cluster: [self, FAR],
      settings: SETTINGS,
      network,
      before: undefined,
      pause: async () => {},
    })
    expect(await stage.routing.link('switchyard-vx')).toMatchObject({ mtu: 1430, vxlan: { local: '2001:db8::1' } })
    expect(stage.tunnels).toEqual([`${vtepMac('node-f')} 2001:db8:6::6`])
  })

  test('--overlay=none refuses, and says why', async () => {
    const stage = new RouteStage()
    stage.settings = { ...SETTINGS, overlay: 'none' }
    const { plan } = await stage.round(NEAR, FAR)
    expect(stage.laid).toEqual(DIRECT)
    expect(plan.refused.map(({ node, range, why }) => `${node} ${range}: ${why}`)).toEqual([
      'node-f 10.244.6.0/24: 198.51.100.6 of its Node is on no link of ours, and --overlay is none',
      'node-f fd00:244:6::/64: 2001:db8:6::6 of its Node is on no link of ours, and --overlay is none',
    ])
  })

  test('the overlay goes with the last node that needs it, and its routes before it', async () => {
    const stage = new RouteStage()
    await stage.round(NEAR, FAR)
    const { changes } = await stage.round(NEAR)
    expect(changes.map(change => change.do)).toEqual(['delete route', 'delete route', 'delete overlay'])
    expect([stage.laid, await stage.routing.link('switchyard-vx')]).toEqual([DIRECT, undefined])
  })

  test('a node that is made anew with another address has its tunnel moved', async () => {
    const stage = new RouteStage()
    await stage.round(FAR)
    const { changes } = await stage.round({ ...FAR, addresses: [address('198.51.100.66')] })
    expect(changes.map(change => change.do)).toEqual(['set tunnel'])
    expect(stage.tunnels).toEqual([`${vtepMac('node-f')} 198.51.100.66`])
  })

  test('another number or port makes the overlay anew, with all that was on it', async () => {
    const stage = new RouteStage()
    await stage.round(FAR)
    const before = [stage.laid, stage.tunnels, stage.neighbours]
    stage.settings = { ...SETTINGS, vni: 7 }
    await stage.round(FAR)
    expect((await stage.routing.link('switchyard-vx'))!.vxlan!.vni).toBe(7)
    expect([stage.laid, stage.tunnels, stage.neighbours]).toEqual(before)
    expect((await stage.round(FAR)).changes).toEqual([])
  })

  test('an overlay that was taken down, or lost an entry, is mended', async () => {
    const stage = new RouteStage()
    await stage.round(FAR)
    await stage.routing.changeLink('switchyard-vx', { state: 'down' })
    stage.routing.neighbours.byMac.clear()
    const { repaired } = await stage.round(FAR)
    expect([stage.laid, repaired.length]).toEqual([OVER, 2])
    expect(stage.tunnels).toEqual([`${vtepMac('node-f')} 198.51.100.6`])
  })

  test('a node that has no address of the overlay’s family is refused', async () => {
    const stage = new RouteStage()
    const { plan } = await stage.round({ ...FAR, addresses: [address('2001:db8:6::6')] })
    expect(plan.refused[0]!.why).toBe('its Node has no IPv4 address, and the overlay is of that family')
  })
})

describe('routes of others', () => {
  test('to the same range are left, and nothing is laid beside them', async () => {
    const stage = new RouteStage()
    const foreign = { destination: cidr('10.244.2.0/24'), gateway: address('192.0.2.9'), link: 'eth0' }
    stage.routing.foreign(foreign)
    const { plan } = await stage.round(NEAR)
    expect(stage.laid).toEqual([DIRECT[1]])
    expect(plan.refused.map(({ why }) => why)).toEqual([
      'there is a route that is not ours: 10.244.2.0/24 via 192.0.2.9 dev eth0 proto static',
    ])
    stage.routing.take(({ gateway }) => gateway === foreign.gateway)
    await stage.round(NEAR)
    expect(stage.laid).toEqual(DIRECT)
  })

  test('are all there after ours have come and gone', async () => {
    const stage = new RouteStage()
    const before = stage.others
    await stage.round(NEAR, FAR)
    await stage.round()
    expect([stage.laid, stage.others]).toEqual([[], before])
  })
})

describe('ranges that cannot be', () => {
  const refusal = async (...others: readonly (typeof NEAR)[]) => {
    const stage = new RouteStage()
    const { plan } = await stage.round(...others)
    return plan.refused.map(({ node, range, why }) => `${node} ${range}: ${why}`)
  }

  test('one that holds the address of a node would cut that node off', async () => {
    expect(await refusal(NEAR, routeNode('node-c', ['192.0.2.3'], ['192.0.2.0/24']))).toEqual([
      'node-c 192.0.2.0/24: it holds 192.0.2.1, the address of node node-a',
    ])
  })

  test('one in our own range would take our pods away', async () => {
    expect(await refusal(routeNode('node-c', ['192.0.2.3'], ['10.244.1.128/25']))).toEqual([
      'node-c 10.244.1.128/25: it is in 10.244.1.0/24 of this node',
    ])
  })

  test('one that two nodes have is the first one’s', async () => {
    expect(await refusal(NEAR, routeNode('node-c', ['192.0.2.3'], ['10.244.2.0/24']))).toEqual([
      'node-c 10.244.2.0/24: node node-b has the same range',
    ])
  })
})

test('a route that was taken away is added again, and counted', async () => {
  const stage = new RouteStage()
  await stage.round(NEAR)
  stage.routing.take(({ destination }) => destination === '10.244.2.0/24')
  const { repaired } = await stage.round(NEAR)
  expect([stage.laid, repaired.length]).toEqual([DIRECT, 1])
})

test('one change that the kernel refuses keeps no other from being made, and is made in the next round', async () => {
  const stage = new RouteStage()
  stage.routing.refusals.addRoute = 'ENOMEM'
  const { refused } = await stage.round(NEAR)
  expect([stage.laid, refused.map(({ error }) => error.code)]).toEqual([[DIRECT[1]], ['ENOMEM']])
  expect((await stage.round(NEAR)).repaired).toEqual([])
  expect(stage.laid).toEqual(DIRECT)
})

test('a cluster without this node is not believed', async () => {
  const stage = new RouteStage()
  await stage.round(NEAR)
  const { network } = stage.routing
  const parts = { nodeName: 'node-a', settings: SETTINGS, network, before: undefined, pause: async () => {} }
  expect(await routeRound({ ...parts, cluster: [] })).toBe('this node is not among the Nodes')
  expect(stage.laid).toEqual(DIRECT)
})
