import { expect, test } from 'vitest'
import { routeChanges } from '#routes/plan/difference.ts'
import type { KernelState } from '#routes/plan/route-plan.ts'
import { routePlan } from '#routes/plan/wanted.ts'
import type { LinkState } from '#system/network/network.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import { routeDifferences } from '#verify/pods/routes.ts'
import { cidr, ip } from '../../support/objects.ts'

// An overlay that is not as it should be, in words.

const CLUSTER = [
  { name: 'far', addresses: [ip('198.51.100.3')], ranges: [cidr('10.244.3.0/24')] },
  { name: 'one', addresses: [ip('192.0.2.1')], ranges: [cidr('10.244.1.0/24')] },
]
const SETTINGS = { overlay: 'auto', vni: 1, port: 8472 } as const
const ETH0: LinkState = { ...{ index: 2, name: 'eth0', kind: '', mac: '02:00:00:00:00:01', mtu: 1500 }, ...up() }
const BARE: KernelState = {
  links: [ETH0],
  addresses: [
    { address: ip('192.0.2.1'), prefixLength: 24, link: 2, scope: 'global', isTentative: false, hasDadFailed: false },
  ],
  routes: {
    ipv4: [{ destination: cidr('0.0.0.0/0'), gateway: ip('192.0.2.254'), link: 'eth0', table: 254, protocol: 3 }],
    ipv6: [],
  },
  neighbours: [],
  tunnels: [],
}

function up() {
  return { isUp: true, operState: 'up', isPromiscuous: false }
}

const plan = routePlan({ self: CLUSTER[1]!, cluster: CLUSTER, state: BARE, settings: SETTINGS })
const { options, neighbours, tunnels, addresses } = plan.overlay!
const { vni, port, local, mac, mtu } = options
const OVERLAY: LinkState = {
  ...{ index: 9, name: OVERLAY_LINK, kind: 'vxlan', mac, mtu },
  ...up(),
  vxlan: { vni, port, ...(local && { local }) },
}
const WHOLE: KernelState = {
  links: [ETH0, OVERLAY],
  addresses: [
    ...BARE.addresses,
    ...addresses.map(address => ({
      address,
      prefixLength: 32,
      link: 9,
      scope: 'global',
      isTentative: false,
      hasDadFailed: false,
    })),
  ],
  routes: { ipv4: [...BARE.routes.ipv4, { ...plan.routes[0]!, table: 254, protocol: 115 }], ipv6: [] },
  neighbours,
  tunnels,
}
const withOverlay = (change: Partial<LinkState>): KernelState => ({
  ...WHOLE,
  links: [ETH0, { ...OVERLAY, ...change }],
})

test.each<[string, KernelState, readonly (readonly [string, string])[]]>([
  ['all is there', WHOLE, []],
  ['it is gone', BARE, [['missing', `overlay ${OVERLAY_LINK}`]]],
  ['it is down', { ...withOverlay({ isUp: false }), routes: BARE.routes }, [['different', `overlay ${OVERLAY_LINK}`]]],
  [
    'it has another hardware address',
    withOverlay({ mac: '02:00:00:00:00:09' }),
    [['different', `overlay ${OVERLAY_LINK}`]],
  ],
  ['its packets are too large', withOverlay({ mtu: 9000 }), [['different', `overlay ${OVERLAY_LINK}`]]],
  ['it has another number', withOverlay({ vxlan: { vni: 7, port: 8472 } }), [['different', `overlay ${OVERLAY_LINK}`]]],
  [
    'it lacks its address',
    { ...WHOLE, addresses: BARE.addresses },
    [['missing', `overlay ${OVERLAY_LINK}: address 10.244.1.0/32`]],
  ],
  [
    'a neighbour is missing',
    { ...WHOLE, neighbours: [] },
    [['missing', `overlay ${OVERLAY_LINK}: neighbour 10.244.3.0`]],
  ],
  [
    'a neighbour is another',
    { ...WHOLE, neighbours: [{ address: ip('10.244.3.0'), mac: '02:00:00:00:00:09' }] },
    [['different', `overlay ${OVERLAY_LINK}: neighbour 10.244.3.0`]],
  ],
  [
    'a tunnel is missing',
    { ...WHOLE, tunnels: [] },
    [['missing', `overlay ${OVERLAY_LINK}: tunnel ${tunnels[0]!.mac}`]],
  ],
  [
    'a tunnel leads elsewhere',
    { ...WHOLE, tunnels: [{ mac: tunnels[0]!.mac, host: ip('198.51.100.9') }] },
    [['different', `overlay ${OVERLAY_LINK}: tunnel ${tunnels[0]!.mac}`]],
  ],
  [
    'there is a tunnel too many',
    { ...WHOLE, tunnels: [...tunnels, { mac: '02:00:00:00:00:07', host: ip('198.51.100.7') }] },
    [['extra', `overlay ${OVERLAY_LINK}: tunnel 02:00:00:00:00:07`]],
  ],
  ['the route over it is gone', { ...WHOLE, routes: BARE.routes }, [['missing', 'route 10.244.3.0/24']]],
])('an overlay of which %s', (_, state, found) => {
  const differences = routeDifferences(routeChanges(plan, state), plan, state)
  expect(differences.map(({ kind, unit }) => [kind, unit])).toEqual(found)
  for (const { means } of differences) expect(means).toMatch(/\w/)
})

test('a range that another route is in the way of is refused, with that route', () => {
  const taken = {
    ...BARE,
    routes: {
      ...BARE.routes,
      ipv4: [...BARE.routes.ipv4, { destination: cidr('10.244.3.0/24'), link: 'eth0', table: 254, protocol: 4 }],
    },
  }
  const other = routePlan({ self: CLUSTER[1]!, cluster: CLUSTER, state: taken, settings: SETTINGS })
  expect(routeDifferences(routeChanges(other, taken), other, taken)).toMatchObject([
    {
      kind: 'refused',
      unit: 'route 10.244.3.0/24',
      owners: ['node far'],
      found: [expect.stringContaining('not ours: 10.244.3.0/24 dev eth0 proto static')],
    },
  ])
})
