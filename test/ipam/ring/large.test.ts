import { expect, test } from 'vitest'
import { successors } from '#ipam/ring/changes.ts'
import { faultsOf } from '#ipam/ring/ring.ts'
import { CALM, doubled, doubledLeases, PaperCluster, PaperNode, randomFrom, unowned } from './paper-cluster.ts'

// A ring of five thousand nodes: they join, run short, are cut off, end between any two writes, leave for good and are taken over
// by the nodes before them. No address has two owners in one epoch, and none is lost.

const NODES = 5000
const FOUNDERS = 4000
const AT_ONCE = 12
const ROUNDS = 40
const ROUGH = { end: 0.02, unanswered: 0.02, late: 0.02 }

test(`${NODES} nodes`, { timeout: 300_000 }, async () => {
  const random = randomFrom(5)
  const one = (limit: number) => Math.floor(random() * limit)
  const cluster = new PaperCluster('10.32.0.0/12', random)
  const init = { mode: 'consensus', peers: 2 * FOUNDERS - 1 } as const
  const nodes = Array.from({ length: NODES }, (_, i) => new PaperNode(cluster, { name: `n${i}`, uid: `u${i}` }, init))
  cluster.chances = ROUGH

  /** As the daemon does: what has failed is tried again by the process that comes next. */
  const isDone = async (node: PaperNode, step: () => Promise<unknown>): Promise<boolean> => {
    try {
      await step()
      return true
    } catch (error) {
      if ((error as Error).constructor.name === 'Ended') node.restart()
      return false
    }
  }
  const inParts = async (of: readonly PaperNode[], step: (node: PaperNode) => Promise<unknown>): Promise<void> => {
    for (let left = of; left.length > 0; ) {
      const part = left.slice(0, AT_ONCE)
      const failed: PaperNode[] = []
      await cluster.carryOut(
        part.map(async node => {
          if (!(await isDone(node, () => step(node)))) failed.push(node)
        }),
      )
      left = [...failed, ...left.slice(AT_ONCE)]
    }
  }
  const alive = () => nodes.filter(({ isDeleted }) => !isDeleted)
  const some = (count: number) =>
    Array.from({ length: count }, () => nodes[one(NODES)]!).filter(node => !node.isDeleted)

  await inParts(nodes, node => node.learn(node.member.join(16)))
  await inParts(nodes, node => node.learn(node.member.look()))
  expect(doubled(nodes)).toEqual([])

  for (let round = 0; round < ROUNDS; round++) {
    for (const node of some(40)) for (let i = one(40); i > 0; i--) node.take()
    for (const node of some(10)) node.isCutOff = !node.isCutOff
    for (const node of some(8)) if (!node.isCutOff) node.isDeleted = true
    await cluster.carryOut(
      [...new Set(some(AT_ONCE))].map(node =>
        isDone(node, async () => {
          await node.learn(node.member.request(16))
          const asked = cluster.ring!.requests[one(cluster.ring!.requests.length)]
          const donor = nodes.find(({ peer, isDeleted }) => peer.name === asked?.of && !isDeleted)
          if (donor !== undefined) await donor.learn(donor.member.serve())
          const [next] = successors(cluster.ring!, node.peer)
          const gone = nodes.find(({ peer, isDeleted }) => isDeleted && peer.uid === next?.uid)
          if (gone !== undefined) await node.learn(node.member.takeOver(gone.peer))
        }),
      ),
    )
    expect(doubled(nodes)).toEqual([])
    expect(doubledLeases(nodes)).toEqual([])
    expect(faultsOf(cluster.ring!)).toEqual([])
  }

  cluster.chances = CALM
  cluster.arriveLate()
  for (const node of alive()) node.isCutOff = false
  for (const node of alive()) node.restart()
  await inParts(alive(), node => node.learn(node.member.look()))
  const byUid = new Map(nodes.map(node => [node.peer.uid, node]))
  const deleted = new Set(nodes.filter(({ isDeleted }) => isDeleted).map(({ peer }) => peer.uid))
  // Each takes over what is behind it, until there is nothing that is not a living node's.
  for (let rounds = 0; cluster.ring!.tokens.some(({ uid }) => deleted.has(uid)); rounds++) {
    expect(rounds).toBeLessThan(20)
    const { tokens } = cluster.ring!
    const pairs = tokens.map((token, i) => [tokens.at(i - 1)!, token] as const)
    for (const [before, gone] of pairs.filter(([{ uid }, token]) => !deleted.has(uid) && deleted.has(token.uid))) {
      const node = byUid.get(before.uid)!
      expect(successors(cluster.ring!, node.peer).length).toBeLessThan(50)
      await cluster.carryOut([node.learn(node.member.takeOver(gone))])
    }
  }
  await inParts(alive(), node => node.learn(node.member.look()))
  expect(unowned(cluster, alive())).toEqual([])
  expect(doubled(nodes)).toEqual([])
  expect(deleted.size).toBeGreaterThan(200)
  expect([cluster.writes, cluster.conflicts].every(count => count > NODES)).toBe(true)
})
