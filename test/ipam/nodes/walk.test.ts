import { expect, test } from 'vitest'
import { type ClusterRange, clusterRanges } from '#ipam/nodes/blocks/cluster-ranges.ts'
import type { RangesController, RangesReport } from '#ipam/nodes/ranges-controller.ts'
import { randomFrom } from '../ring/paper-cluster.ts'
import { NO_TROUBLES, PaperNodes } from './paper-nodes.ts'

// Five hundred lives of small clusters, whose controllers both take themselves for the leader while everything goes wrong: no two
// Nodes get one address, and no block is lost.

const ROUGH = { end: 0.04, unanswered: 0.04, late: 0.08 }
const LIVES = 500
const GRACE_MS = 1000
const BLOCKS = 8

function ranges(): readonly ClusterRange[] {
  const decoded = clusterRanges({
    clusterCidr: '10.244.0.0/20,fd00:10:244::/60',
    nodeMaskOf: { ipv4: 24, ipv6: 64 },
    serviceRange: '10.244.8.0/21,fd00:10:244:8::/61',
  })
  if (!decoded.ok) throw new Error(decoded.problems.join())
  return decoded.ranges
}

interface Life {
  readonly cluster: PaperNodes
  readonly controllers: readonly RangesController[]
  readonly one: (limit: number) => number
}

/** A round of some of the controllers at once, while nodes come and go. */
async function hour({ cluster, controllers, one }: Life): Promise<void> {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
  const name = names[one(names.length)]!
  if (cluster.nodes.has(name)) {
    if (one(2) === 0) cluster.delete(name)
    if (one(3) === 0) cluster.register(name)
  } else cluster.register(name)
  cluster.now += one(700)
  await cluster.carryOut(controllers.filter(() => one(4) > 0).map(controller => controller.round()))
}

/** What was under way arrives, lists are up to date, and graces end. */
async function calm({ cluster, controllers }: Life): Promise<RangesReport> {
  cluster.troubles = NO_TROUBLES
  cluster.arriveAll()
  let report: RangesReport | undefined
  for (let i = 0; i < 4; i++) {
    const round = controllers[0]!.round()
    await cluster.carryOut([round])
    report = await round
    cluster.now += GRACE_MS
  }
  return report!
}

async function life(seed: number): Promise<PaperNodes> {
  const random = randomFrom(seed)
  const cluster = new PaperNodes(random)
  const parts = { ranges: ranges(), graceMs: GRACE_MS }
  const controllers = [cluster.controller(parts), cluster.controller(parts), cluster.controller(parts)]
  const alive: Life = { cluster, controllers, one: limit => Math.floor(random() * limit) }
  cluster.troubles = ROUGH
  for (let round = 0; round < 25; round++) {
    await hour(alive)
    expect(cluster.doubled()).toEqual([])
  }
  const { counts, findings } = await calm(alive)
  expect(cluster.doubled()).toEqual([])
  const nodes = [...cluster.nodes.values()]
  const served = nodes.filter(({ podCIDRs }) => podCIDRs.length === 2)
  expect(served).toHaveLength(Math.min(nodes.length, BLOCKS))
  for (const { used, excluded, free } of counts)
    expect({ used, excluded, free }).toEqual({ used: served.length, excluded: 8, free: BLOCKS - served.length })
  expect(findings.map(({ reason }) => reason)).toEqual(nodes.length > BLOCKS ? ['CIDRNotAvailable'] : [])
  return cluster
}

test(`${LIVES} lives`, async () => {
  const sums = { writes: 0, conflicts: 0, late: 0 }
  for (let seed = 1; seed <= LIVES; seed++) {
    const { counts } = await life(seed).catch(error => {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    })
    for (const key of ['writes', 'conflicts', 'late'] as const) sums[key] += counts[key]
  }
  expect(sums.writes).toBeGreaterThan(LIVES * 10)
  expect(sums.conflicts).toBeGreaterThan(LIVES)
  expect(sums.late).toBeGreaterThan(LIVES)
})
