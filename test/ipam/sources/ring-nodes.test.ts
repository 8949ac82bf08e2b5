import { expect, test } from 'vitest'
import type { RingInit } from '#ipam/ring/division.ts'
import { ClockedCluster, ClockedNode } from './clocked-cluster.ts'

// Nodes as the daemon runs them, in simulated time.

const init: RingInit = { mode: 'consensus', peers: 3 }
const started = (cluster: ClockedCluster, name: string): ClockedNode => {
  const node = new ClockedNode(cluster, name, { init })
  node.start()
  return node
}
const names = (cluster: ClockedCluster) => new Set(cluster.ring!.tokens.map(({ name }) => name))
const sizeOf = (node: ClockedNode) => node.source.mine().sets.flat().length

test('a Node that is deleted loses its addresses after a while to the node before it, and gives none meanwhile', async () => {
  const cluster = new ClockedCluster('10.32.0.0/24')
  const nodes = ['a', 'b', 'c'].map(name => started(cluster, name))
  await cluster.clock.advance(60_000)
  expect(names(cluster)).toEqual(new Set(['a', 'b', 'c']))
  cluster.uids.delete('b')
  await cluster.clock.advance(30_000)
  expect([sizeOf(nodes[1]!), names(cluster).has('b')]).toEqual([0, true])
  await cluster.clock.advance(150_000)
  expect(names(cluster)).toEqual(new Set(['a', 'c']))
  // The machine is back under the same name.
  cluster.uids.set('b', 'uid-b2')
  await cluster.clock.advance(90_000)
  expect(sizeOf(nodes[1]!)).toBeGreaterThan(0)
  expect(cluster.ring!.tokens.filter(({ name }) => name === 'b').every(({ uid }) => uid === 'uid-b2')).toBe(true)
  expect(nodes[1]!.lost.length).toBeGreaterThan(0)
  for (const node of nodes) node.stop()
})

test('a node that is made anew at once keeps its addresses, in the next epoch', async () => {
  const cluster = new ClockedCluster('10.32.0.0/24')
  const nodes = ['a', 'b', 'c'].map(name => started(cluster, name))
  await cluster.clock.advance(60_000)
  const before = nodes[1]!.source.mine().sets
  const epoch = cluster.ring!.tokens.find(({ name }) => name === 'b')!.epoch
  cluster.uids.set('b', 'uid-b2')
  await cluster.clock.advance(60_000)
  expect(nodes[1]!.source.mine().sets).toEqual(before)
  expect(nodes[1]!.lost).toEqual([])
  expect(cluster.ring!.tokens.find(({ uid }) => uid === 'uid-b2')?.epoch).toBe(epoch + 1)
  for (const node of nodes) node.stop()
})

test('a node that runs full gets more before pods are refused, and gives it back when they are gone', async () => {
  const cluster = new ClockedCluster('10.32.0.0/24')
  const nodes = ['a', 'b'].map(name => started(cluster, name))
  await cluster.clock.advance(60_000)
  const [a] = nodes as [ClockedNode]
  const own = cluster.ring!.tokens.length
  let pods = 0
  for (; pods < 150; pods++) {
    expect(a.take()).toBe(true)
    await cluster.clock.advance(2000)
  }
  expect(cluster.ring!.tokens.length).toBeGreaterThan(own)
  a.memory.leases.clear()
  a.take()
  await cluster.clock.advance(1_200_000)
  expect(cluster.ring!.tokens.length).toBe(own)
  for (const node of nodes) node.stop()
})

test('a peer that does not answer is passed over', async () => {
  const cluster = new ClockedCluster('10.32.0.0/24')
  const nodes = ['a', 'b', 'c'].map(name => started(cluster, name))
  await cluster.clock.advance(60_000)
  nodes[1]!.stop()
  const [a] = nodes as [ClockedNode]
  while (a.take()) {}
  await cluster.clock.advance(120_000)
  expect(a.take()).toBe(true)
  for (const node of nodes) node.stop()
})

test('while the API server is away for a minute, pods get addresses all along, and nothing is lost afterwards', async () => {
  const cluster = new ClockedCluster('10.32.0.0/24')
  const nodes = ['a', 'b'].map(name => started(cluster, name))
  await cluster.clock.advance(60_000)
  const before = nodes.map(node => node.source.mine().sets)
  cluster.isAway = true
  for (let second = 0; second < 60; second++) {
    expect(nodes.map(node => node.take())).toEqual([true, true])
    await cluster.clock.advance(1000)
  }
  const failures = nodes.map(node => node.failures.length)
  // Less and less often: half a minute apart in the end.
  expect(failures.every(count => count > 2 && count < 12)).toBe(true)
  cluster.isAway = false
  await cluster.clock.advance(120_000)
  expect(nodes.map(node => node.source.mine().sets.flat()[0]!.start)).toEqual(before.map(sets => sets.flat()[0]!.start))
  expect(nodes.map(({ failures: { length }, lost }) => [length, lost])).toEqual(failures.map(count => [count, []]))
  for (const node of nodes) node.stop()
})

test('a range that comes while a node asks for one is not asked for, and is reported with the next look', async () => {
  const cluster = new ClockedCluster('10.32.0.0/24')
  const [a, b] = ['a', 'b'].map(
    name => new ClockedNode(cluster, name, { init: { mode: 'consensus', peers: 2 } }).source,
  )
  const done = async <T>(work: Promise<T>): Promise<T> => {
    await cluster.clock.advance(1000)
    return work
  }
  expect((await done(a!.refresh())).gained).toEqual([])
  await done(b!.refresh())
  await done(a!.more(64))
  expect(cluster.ring!.requests).toEqual([])
  expect((await done(a!.refresh())).gained).toEqual([{ first: '10.32.0.1', last: '10.32.0.127' }])
  expect((await done(a!.refresh())).gained).toEqual([])
})
