import { expect, test } from 'vitest'
import { clusterRanges } from '#ipam/nodes/blocks/cluster-ranges.ts'
import { randomFrom } from '../ring/paper-cluster.ts'
import { NO_TROUBLES, PaperNodes } from './paper-nodes.ts'

// Another program sets podCIDRs, too, without regard to the record: a controller never adds a double of its own, says what it
// finds, and goes on for all other nodes.

const LIVES = 200
const GRACE_MS = 1000

async function life(seed: number): Promise<number> {
  const random = randomFrom(seed)
  const one = (limit: number) => Math.floor(random() * limit)
  const cluster = new PaperNodes(random)
  const decoded = clusterRanges({ clusterCidr: '10.244.0.0/20' })
  if (!decoded.ok) throw new Error(decoded.problems.join())
  const parts = { ranges: decoded.ranges, graceMs: GRACE_MS }
  const controllers = [cluster.controller(parts), cluster.controller(parts)]
  cluster.troubles = { end: 0.04, unanswered: 0.04, late: 0.04 }
  const ownDoubles = () => cluster.doubled().filter(pair => !pair.includes('foreign'))
  for (let hour = 0; hour < 20; hour++) {
    const [name, foreign] = [`n${one(6)}`, `foreign${one(3)}`]
    if (cluster.nodes.has(name) && one(2) === 0) cluster.delete(name)
    else if (!cluster.nodes.has(name)) cluster.register(name)
    if (one(5) === 0) cluster.register(foreign, `10.${244 + one(2)}.${one(16)}.0/${23 + one(3)}`)
    if (one(6) === 0) cluster.delete(foreign)
    cluster.now += one(700)
    await cluster.carryOut(controllers.map(controller => controller.round()))
    expect(ownDoubles()).toEqual([])
  }

  cluster.troubles = NO_TROUBLES
  cluster.arriveAll()
  for (let i = 0; i < 4; i++) {
    const round = controllers[0]!.round()
    await cluster.carryOut([round])
    cluster.now += GRACE_MS
  }
  const last = controllers[0]!.round()
  await cluster.carryOut([last])
  expect(ownDoubles()).toEqual([])
  const { findings } = await last
  const said = new Set(findings.map(({ node }) => node.name))
  const doubles = cluster.doubled()
  for (const pair of doubles) expect([...said].some(name => pair.includes(name))).toBe(true)
  const without = [...cluster.nodes.values()].filter(({ podCIDRs }) => podCIDRs.length === 0)
  for (const { name } of without) expect(said).toContain(name)
  return doubles.length
}

test(`${LIVES} lives beside another program`, async () => {
  let doubles = 0
  for (let seed = 1; seed <= LIVES; seed++) {
    doubles += await life(seed).catch(error => {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    })
  }
  // Those of the other program: without any, nothing would have been tried here.
  expect(doubles).toBeGreaterThan(0)
})
