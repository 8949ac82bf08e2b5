import { expect, test } from 'vitest'
import { ClockedCluster, ClockedNode } from './clocked-cluster.ts'

// Five hundred nodes that come in one moment, with the back-off of the daemon: each has a range within 30 s, whether the ring
// was there before or they make it.

const NODES = 500

function startAll(cluster: ClockedCluster, names: readonly string[], peers: number): readonly ClockedNode[] {
  const nodes = names.map(name => new ClockedNode(cluster, name, { init: { mode: 'consensus', peers } }))
  for (const node of nodes) node.start()
  return nodes
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

test('500 nodes that make a ring', async () => {
  const cluster = new ClockedCluster('10.32.0.0/12')
  const nodes = startAll(cluster, names('n', NODES), NODES)
  await cluster.clock.advance(30_000)
  expect(nodes.filter(({ since }) => since === undefined)).toEqual([])
  for (const node of nodes) node.stop()
})

test('500 nodes that join one of a hundred', async () => {
  const cluster = new ClockedCluster('10.32.0.0/12')
  const before = startAll(cluster, names('old', 100), 100)
  await cluster.clock.advance(60_000)
  const nodes = startAll(cluster, names('n', NODES), NODES)
  await cluster.clock.advance(30_000)
  expect(nodes.filter(({ since }) => since === undefined)).toEqual([])
  for (const node of [...before, ...nodes]) node.stop()
})
