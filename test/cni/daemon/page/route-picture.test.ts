import { expect, test } from 'vitest'
import { RoutePicture } from '#cni/daemon/page/route-picture.ts'
import { keyOf } from '#routes/plan/difference.ts'
import type { PlannedRoute } from '#routes/plan/route-plan.ts'
import type { RouteReport } from '#routes/round.ts'
import { NetworkRefused } from '#system/network/network.ts'
import { cidr, ip } from '../../../support/objects.ts'

const [to2, to3] = ['2', '3'].map((n): PlannedRoute => {
  return {
    node: `n${n}`,
    destination: cidr(`10.244.${n}.0/24`),
    gateway: ip(`10.0.0.${n}`),
    link: 'eth0',
    isOnLink: false,
  }
}) as [PlannedRoute, PlannedRoute]
const self = { name: 'n1', addresses: [ip('10.0.0.1')], ranges: [cidr('10.244.1.0/24')] }

function report(more: Partial<RouteReport> = {}): RouteReport {
  return {
    ...{ self, plan: { routes: [to2, to3], refused: [] }, changes: [], repaired: [], refused: [] },
    ...{ standing: new Set([keyOf(to2), keyOf(to3)]), links: new Set(['eth0']), ...more },
  }
}

test('there is no table before the first round', () => {
  expect(new RoutePicture().routes()).toBeUndefined()
})

test('each route of the last round stands, or has a reason', () => {
  const picture = new RoutePicture()
  const { node: _, ...route } = to3
  const refused = [
    {
      change: { do: 'add route' as const, route: { ...route, protocol: 115 } },
      error: new NetworkRefused('ENODEV', 'no such link'),
    },
  ]
  const plan = { routes: [to2, to3], refused: [{ node: 'n4', range: cidr('10.244.4.0/24'), why: 'it has no address' }] }
  picture.round(report({ plan, refused, standing: new Set([keyOf(to2)]) }), 7)
  expect(picture.routes()).toEqual({
    at: 7,
    repaired: 0,
    routes: [
      { node: 'n4', range: '10.244.4.0/24', via: '–', link: '–', state: 'refused', reason: 'it has no address' },
      { node: 'n2', range: '10.244.2.0/24', via: '10.0.0.2', link: 'eth0', state: 'stands' },
      { node: 'n3', range: '10.244.3.0/24', via: '10.0.0.3', link: 'eth0', state: 'refused', reason: 'no such link' },
    ],
  })
})

test('repairs add up, and those who look hear of each round', () => {
  const picture = new RoutePicture()
  let heard = 0
  picture.feed.follow(() => heard++)
  const { node: _, ...route } = to2
  const repaired = [{ do: 'add route' as const, route: { ...route, protocol: 115 } }]
  picture.round(report({ repaired }), 1)
  picture.round(report({ repaired }), 2)
  expect([picture.routes()?.repaired, heard]).toEqual([2, 2])
})

test('nodes are those of the cluster, with their ranges', () => {
  const picture = new RoutePicture()
  picture.round(report(), 1)
  picture.cluster([self, { name: 'n2', addresses: [ip('10.0.0.2')], ranges: [] }])
  expect(picture.nodes()).toEqual([
    { node: 'n1', isThisNode: true, addresses: ['10.0.0.1'], ranges: ['10.244.1.0/24'] },
    { node: 'n2', isThisNode: false, addresses: ['10.0.0.2'], ranges: [] },
  ])
})
