import { describe, expect, test } from 'vitest'
import type { RingInit } from '#ipam/ring/division.ts'
import { rangesOf } from '#ipam/ring/ring.ts'
import { doubled, PaperCluster, PaperNode, randomFrom, unowned } from './paper-cluster.ts'

const consensus = (peers: number): RingInit => ({ mode: 'consensus', peers })

function clusterOf(names: readonly string[], init: RingInit, range = '10.32.0.0/24', seed = 1) {
  const cluster = new PaperCluster(range, randomFrom(seed))
  const nodes = names.map(name => new PaperNode(cluster, { name, uid: `uid-${name}` }, init))
  return { cluster, nodes }
}

const sizes = (nodes: readonly PaperNode[]): readonly number[] =>
  nodes.map(node => node.member.usable().reduce((sum, { start, end }) => sum + end - start, 0))

describe('a ring', () => {
  test('is made when more than half of the peers are there, and is the same for all who read it later', async () => {
    const { cluster, nodes } = clusterOf(['a', 'b', 'c'], consensus(3))
    await cluster.carryOut([nodes[0]!.member.join()])
    expect(sizes(nodes)).toEqual([0, 0, 0])
    await cluster.carryOut([nodes[1]!.member.join()])
    await cluster.carryOut(nodes.map(node => node.member.join()))
    expect(sizes(nodes)).toEqual([128, 128, 0])
  })

  test('of seeds is the same whichever of them comes first', async () => {
    const init: RingInit = { mode: 'seed', names: ['b', 'a', 'c'] }
    const { cluster, nodes } = clusterOf(['a', 'b', 'c'], init)
    await cluster.carryOut([nodes[2]!.member.join()])
    expect(sizes(nodes)).toEqual([0, 0, 64])
    await cluster.carryOut(nodes.map(node => node.member.join()))
    expect(sizes(nodes)).toEqual([128, 64, 64])
  })

  test('is never made by an observer, who gets addresses all the same', async () => {
    const { cluster, nodes } = clusterOf(['a'], consensus(1))
    const observer = new PaperNode(cluster, { name: 'o', uid: 'uid-o' }, { mode: 'observer' })
    await cluster.carryOut([observer.member.join()])
    expect(cluster.ring?.tokens ?? []).toEqual([])
    await cluster.carryOut([nodes[0]!.member.join()])
    await cluster.carryOut([observer.member.request(16)])
    await cluster.carryOut([nodes[0]!.member.serve()])
    await cluster.carryOut([observer.member.look()])
    expect(sizes([nodes[0]!, observer])).toEqual([128, 128])
  })

  test('of another range is refused', async () => {
    const { cluster, nodes } = clusterOf(['a'], consensus(1))
    await cluster.carryOut([nodes[0]!.member.join()])
    const other = new PaperCluster('10.40.0.0/16', randomFrom(1))
    other.ring = cluster.ring
    const lost = new PaperNode(other, { name: 'z', uid: 'z' }, consensus(1))
    await expect(other.carryOut([lost.member.join()])).rejects.toThrow(
      'the ring divides 10.32.0.0/24, this node is set to 10.40.0.0/16',
    )
  })
})

describe('a peer', () => {
  test('that runs short asks, another gives half of what it has free, and the ring does not keep the request', async () => {
    const { cluster, nodes } = clusterOf(['a', 'b'], consensus(2))
    await cluster.carryOut(nodes.map(node => node.member.join()))
    for (let i = 0; i < 128; i++) expect(nodes[0]!.take()).toBe(true)
    expect(nodes[0]!.take()).toBe(false)
    await cluster.carryOut([nodes[0]!.member.request(1)])
    await cluster.carryOut([nodes[1]!.member.serve()])
    await cluster.carryOut([nodes[0]!.member.look()])
    expect(sizes(nodes)).toEqual([192, 64])
    expect(nodes[0]!.take()).toBe(true)
    expect(cluster.ring!.requests).toEqual([])
  })

  test('asks for nothing where it has got addresses since it looked', async () => {
    const { cluster, nodes } = clusterOf(['a', 'b'], consensus(2))
    await cluster.carryOut([nodes[0]!.member.join()])
    await cluster.carryOut([nodes[1]!.member.join()])
    expect(sizes(nodes)).toEqual([0, 128])
    await cluster.carryOut([nodes[0]!.member.request(64)])
    expect(cluster.ring!.requests).toEqual([])
    expect(sizes(nodes)).toEqual([128, 128])
  })

  test('that has nothing to give says so, and the next one is asked', async () => {
    const { cluster, nodes } = clusterOf(['a', 'b', 'c', 'd'], consensus(4), '10.32.0.0/28')
    await cluster.carryOut(nodes.map(node => node.member.join()))
    for (const node of nodes.slice(0, 3)) while (node.take()) {}
    for (let round = 0; round < 6; round++) {
      await cluster.carryOut([nodes[0]!.member.request(1)])
      await cluster.carryOut(nodes.slice(1).map(node => node.member.serve()))
    }
    await cluster.carryOut([nodes[0]!.member.look()])
    expect(nodes[0]!.take()).toBe(true)
  })

  test('gives an idle range back to who has the addresses beside it, and the two become one', async () => {
    const { cluster, nodes } = clusterOf(['a', 'b'], consensus(2))
    await cluster.carryOut(nodes.map(node => node.member.join()))
    await cluster.carryOut([nodes[0]!.member.request(1)])
    await cluster.carryOut([nodes[1]!.member.serve()])
    await cluster.carryOut([nodes[0]!.member.look()])
    const given = nodes[0]!.member.usable().at(-1)!
    await cluster.carryOut([nodes[0]!.member.giveBack(given)])
    await cluster.carryOut(nodes.map(node => node.member.join()))
    expect(sizes(nodes)).toEqual([128, 128])
    expect(cluster.ring!.tokens).toHaveLength(2)
  })

  test('that is gone leaves its addresses to an heir in the next epoch; the old one, back, knows what it lost', async () => {
    const { cluster, nodes } = clusterOf(['a', 'b'], consensus(2))
    const [a, b] = nodes as [PaperNode, PaperNode]
    await cluster.carryOut(nodes.map(node => node.member.join()))
    a.take()
    a.isDeleted = true
    await cluster.carryOut([b.member.takeOver(a.peer)])
    expect(rangesOf(cluster.ring!, b.peer).map(({ epoch }) => epoch)).toEqual([2])
    expect(doubled(nodes)).toEqual([])
    await cluster.carryOut([a.learn(a.member.look())])
    expect(a.lost).toMatchObject([{ epoch: 1 }])
    expect(a.take()).toBe(false)
  })

  test('made anew under the same name is another one', async () => {
    const { cluster, nodes } = clusterOf(['a', 'b'], consensus(2))
    await cluster.carryOut(nodes.map(node => node.member.join()))
    const again = new PaperNode(cluster, { name: 'a', uid: 'uid-new' }, consensus(2))
    await cluster.carryOut([again.member.join()])
    expect(sizes([again])).toEqual([0])
    await cluster.carryOut([again.member.takeOver(nodes[0]!.peer)])
    expect(sizes([again])).toEqual([128])
  })

  test('goes on giving addresses while the ring cannot be read', async () => {
    const { cluster, nodes } = clusterOf(['a', 'b'], consensus(2))
    await cluster.carryOut(nodes.map(node => node.member.join()))
    nodes[0]!.isCutOff = true
    nodes[0]!.restart()
    expect(nodes[0]!.take()).toBe(true)
  })
})

test('no address is left over after a hundred joins at once', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `n${String(i).padStart(3, '0')}`)
  const { cluster, nodes } = clusterOf(names, consensus(100), '10.32.0.0/16')
  await cluster.carryOut(nodes.map(node => node.member.join()))
  await cluster.carryOut(nodes.map(node => node.member.look()))
  expect(doubled(nodes)).toEqual([])
  expect(unowned(cluster, nodes)).toEqual([])
})
