import { describe, expect, test } from 'vitest'
import { applyChanges } from '#routes/kernel/apply.ts'
import type { RouteChange } from '#routes/plan/changes.ts'
import { address, cidr, RouteStage } from '../stage.ts'

const LINK = 'switchyard-vx'
const OPTIONS = { vni: 1, port: 8472, local: address('192.0.2.1'), mac: '02:00:00:00:00:01', mtu: 1450 }
const TUNNEL = { mac: '02:00:00:00:00:06', host: address('198.51.100.6') }
const NEIGHBOUR = { address: address('10.244.6.0'), mac: TUNNEL.mac }
const ROUTE = {
  destination: cidr('10.244.6.0/24'),
  gateway: address('10.244.6.0'),
  link: LINK,
  isOnLink: true,
  protocol: 115,
}
const OWN = { address: address('10.244.1.0'), prefixLength: 32 }

const direct = (byte: number, number: number): RouteChange => ({
  do: 'add route',
  route: {
    destination: cidr(`10.${byte}.${number}.0/24`),
    gateway: address('192.0.2.2'),
    link: 'eth0',
    isOnLink: false,
    protocol: 115,
  },
})
/** Counts how often others had a turn. */
function turns() {
  const counted = { pauses: 0, pause: async () => void counted.pauses++ }
  return counted
}

describe('changes', () => {
  const making: readonly RouteChange[] = [
    { do: 'add overlay', options: OPTIONS },
    { do: 'add address', ...OWN },
    { do: 'set tunnel', tunnel: TUNNEL },
    { do: 'set neighbour', neighbour: NEIGHBOUR },
    { do: 'add route', route: ROUTE },
  ]

  test('make the overlay, up, with all that is on it, and take it apart again', async () => {
    const stage = new RouteStage()
    const { network } = stage.routing
    expect(await applyChanges(making, network, turns().pause)).toEqual([])
    expect(await stage.routing.link(LINK)).toMatchObject({ isUp: true, mtu: 1450, vxlan: { vni: 1 } })
    expect([stage.laid, stage.tunnels, stage.neighbours]).toEqual([
      ['10.244.6.0/24 via 10.244.6.0 dev switchyard-vx onlink'],
      ['02:00:00:00:00:06 198.51.100.6'],
      ['10.244.6.0 02:00:00:00:00:06'],
    ])
    const undoing: readonly RouteChange[] = [
      { do: 'delete route', route: ROUTE },
      { do: 'delete address', ...OWN },
      { do: 'delete neighbour', neighbour: NEIGHBOUR },
      { do: 'delete tunnel', tunnel: TUNNEL },
    ]
    expect(await applyChanges(undoing, network, turns().pause)).toEqual([])
    expect([stage.laid, stage.tunnels, stage.neighbours]).toEqual([[], [], []])
    expect((await stage.routing.addresses()).some(({ address }) => address === OWN.address)).toBe(false)
    await applyChanges([{ do: 'change overlay', change: { mtu: 1400 } }], network, turns().pause)
    expect(await stage.routing.link(LINK)).toMatchObject({ mtu: 1400 })
    await applyChanges([{ do: 'delete overlay' }], network, turns().pause)
    expect(await stage.routing.link(LINK)).toBeUndefined()
  })

  test('that are refused are named, and keep no other from being made', async () => {
    const stage = new RouteStage()
    const bad: RouteChange = {
      do: 'add route',
      route: { ...ROUTE, gateway: address('203.0.113.1'), link: 'eth0', isOnLink: false },
    }
    const refused = await applyChanges([direct(1, 1), bad, direct(1, 2)], stage.routing.network, turns().pause)
    expect(refused.map(({ change, error }) => [change, error.code])).toEqual([[bad, 'ENETUNREACH']])
    expect(stage.laid).toHaveLength(2)
  })

  test('all go wrong where their link cannot be made, each by itself', async () => {
    const stage = new RouteStage()
    stage.routing.refusals.addVxlan = 'EOPNOTSUPP'
    const refused = await applyChanges(
      [making[0]!, making[1]!, making[4]!, direct(1, 1)],
      stage.routing.network,
      turns().pause,
    )
    expect(refused.map(({ error }) => error.code)).toEqual(['EOPNOTSUPP', 'ENODEV', 'ENODEV'])
    expect(stage.laid).toEqual(['10.1.1.0/24 via 192.0.2.2 dev eth0'])
  })

  test('end where the network itself fails: what comes after would be of a node that is not known', async () => {
    const stage = new RouteStage()
    const failure = new Error('the socket is closed')
    const { network } = stage.routing
    network.deleteRoute = async () => {
      throw failure
    }
    const changes: readonly RouteChange[] = [direct(1, 1), { do: 'delete route', route: ROUTE }, direct(1, 2)]
    await expect(applyChanges(changes, network, turns().pause)).rejects.toBe(failure)
    expect(stage.laid).toHaveLength(1)
  })
})

test.each([
  [0, 0],
  [100, 0],
  [101, 1],
  [350, 3],
])('of %d changes, calls of pods have their turn %d times in between', async (count, expected) => {
  const counted = turns()
  const changes = Array.from({ length: count }, (_, i) => direct(1 + (i >> 8), i & 255))
  await applyChanges(changes, new RouteStage().routing.network, counted.pause)
  expect(counted.pauses).toBe(expected)
})
