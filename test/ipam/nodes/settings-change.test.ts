import { expect, test } from 'vitest'
import { type ClusterRangeFlags, clusterRanges } from '#ipam/nodes/blocks/cluster-ranges.ts'
import { randomFrom } from '../ring/paper-cluster.ts'
import { NO_TROUBLES, PaperNodes } from './paper-nodes.ts'

// Controllers of different settings at once, as while a Deployment is rolled out: what one has given, the other leaves alone.

const LIVES = 100
const SETTINGS: readonly ClusterRangeFlags[] = [
  { clusterCidr: '10.244.0.0/20' },
  { clusterCidr: '10.244.0.0/20', nodeMask: 26 },
  { clusterCidr: '10.244.0.0/19,fd00:10:244::/60', nodeMaskOf: { ipv4: 23 } },
]

async function life(seed: number): Promise<void> {
  const random = randomFrom(seed)
  const one = (limit: number) => Math.floor(random() * limit)
  const cluster = new PaperNodes(random)
  const controllers = SETTINGS.map(flags => {
    const decoded = clusterRanges(flags)
    if (!decoded.ok) throw new Error(decoded.problems.join())
    return cluster.controller({ ranges: decoded.ranges, graceMs: 1000 })
  })
  cluster.troubles = { end: 0.03, unanswered: 0.03, late: 0.06 }
  for (let hour = 0; hour < 20; hour++) {
    const name = `n${one(8)}`
    if (cluster.nodes.has(name) && one(2) === 0) cluster.delete(name)
    else if (!cluster.nodes.has(name)) cluster.register(name)
    cluster.now += one(700)
    await cluster.carryOut(controllers.map(controller => controller.round()))
    expect(cluster.doubled()).toEqual([])
  }
  cluster.troubles = NO_TROUBLES
  cluster.arriveAll()
  for (let i = 0; i < 3; i++) {
    await cluster.carryOut([controllers[i]!.round()])
    cluster.now += 1000
  }
  expect(cluster.doubled()).toEqual([])
  // The smallest of the ranges has room for all of them, in the smallest blocks.
  for (const { podCIDRs } of cluster.nodes.values()) expect(podCIDRs).not.toEqual([])
}

test(`${LIVES} lives of controllers with other ranges and masks`, async () => {
  for (let seed = 1; seed <= LIVES; seed++) {
    await life(seed).catch(error => {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    })
  }
})
