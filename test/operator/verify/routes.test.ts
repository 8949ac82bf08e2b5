import { expect, test } from 'vitest'
import { onlyOf } from '#operator/verify/routes.ts'
import { routeChanges } from '#routes/plan/difference.ts'
import type { KernelState, RoutePlan } from '#routes/plan/route-plan.ts'
import type { NetworkRoute } from '#system/network/network.ts'
import { cidr, ip } from '../../support/objects.ts'

// verify --family: of the other family no route is missing, and none is too many.

const planned = (destination: string, gateway: string) => ({
  ...{ node: 'two', destination: cidr(destination), gateway: ip(gateway), link: 'eth0', isOnLink: false },
})
const left = (destination: string, gateway: string): NetworkRoute => ({
  ...{ destination: cidr(destination), gateway: ip(gateway), link: 'eth0', table: 254, protocol: 115 },
})
const plan: RoutePlan = {
  routes: [planned('10.244.2.0/24', '192.0.2.2'), planned('fd00:244:2::/64', '2001:db8::2')],
  refused: [
    { node: 'three', range: cidr('10.244.3.0/24'), why: 'it is of node two, too' },
    { node: 'three', range: cidr('fd00:244:3::/64'), why: 'it is of node two, too' },
  ],
}
const state: KernelState = {
  ...{ links: [], addresses: [], neighbours: [], tunnels: [] },
  routes: { ipv4: [left('10.244.9.0/24', '192.0.2.9')], ipv6: [left('fd00:244:9::/64', '2001:db8::9')] },
}

test.each([
  ['ipv4', ['add route 10.244.2.0/24', 'delete route 10.244.9.0/24'], '10.244.3.0/24'],
  ['ipv6', ['add route fd00:244:2::/64', 'delete route fd00:244:9::/64'], 'fd00:244:3::/64'],
] as const)('of %s alone', (family, changes, refused) => {
  const asked = onlyOf(family, { plan, state })
  const said = routeChanges(asked.plan, asked.state).map(change =>
    'route' in change ? `${change.do} ${change.route.destination}` : change.do,
  )
  expect(said).toEqual(changes)
  expect(asked.plan.refused.map(({ range }) => range)).toEqual([refused])
})
