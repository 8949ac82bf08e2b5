import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RouteNode } from '#routes/cluster/route-node.ts'
import { applyChanges } from '#routes/kernel/apply.ts'
import { kernelState } from '#routes/kernel/kernel-state.ts'
import { ownRoutes, routeChanges, standingRoutes } from '#routes/plan/difference.ts'
import { routePlan } from '#routes/plan/wanted.ts'
import { cidr, FAR, NEAR, RouteStage, SELF, SETTINGS } from '../stage.ts'
import { anyOthers, anyOverlay } from './clusters.ts'

async function changesFor({ routing, settings }: RouteStage, others: readonly RouteNode[]) {
  const state = await kernelState(routing.network)
  const plan = routePlan({ self: SELF, cluster: [SELF, ...others], state, settings })
  return { plan, state, changes: routeChanges(plan, state) }
}

describe('between two clusters', () => {
  test('no range that both have is without a route for a moment, and none leads where nothing is', async () => {
    await fc.assert(
      fc.asyncProperty(anyOthers, anyOthers, anyOverlay, async (before, after, overlay) => {
        const stage = new RouteStage()
        stage.settings = { ...SETTINGS, overlay }
        await stage.round(...before)
        const ranges = () => new Set(stage.laid.map(line => line.split(' ')[0]!))
        const first = ranges()
        const { plan, changes } = await changesFor(stage, after)
        const kept = plan.routes.map(({ destination }) => destination).filter(one => first.has(one))
        for (const change of changes) {
          // Each is taken by the kernel, so what it stands on is there.
          expect(await applyChanges([change], stage.routing.network, async () => {})).toEqual([])
          const now = ranges()
          expect(kept.filter(one => !now.has(one))).toEqual([])
          const gateways = stage.laid.filter(line => line.endsWith('onlink')).map(line => line.split(' ')[2]!)
          expect(gateways.filter(gateway => !stage.routing.neighbours.byAddress.has(gateway))).toEqual([])
        }
      }),
    )
  })
})

test('routes of ours are those of the main table with our number, and what is planned stands where the kernel has it', async () => {
  const stage = new RouteStage()
  await stage.round(NEAR)
  stage.routing.foreign({ destination: cidr('10.9.0.0/16'), link: 'eth0', table: 100, protocol: 115 })
  stage.routing.foreign({ destination: cidr('10.8.0.0/16'), link: 'eth0' })
  const { plan, state } = await changesFor(stage, [NEAR, FAR])
  expect(ownRoutes(state).map(({ destination }) => destination)).toEqual(NEAR.ranges)
  expect(standingRoutes(plan, state).map(({ node }) => node)).toEqual(['node-b', 'node-b'])
})
