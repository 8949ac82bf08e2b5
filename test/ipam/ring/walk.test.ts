import { expect, test } from 'vitest'
import { faultsOf } from '#ipam/ring/ring.ts'
import { CALM, doubled, doubledLeases, PaperCluster, PaperNode, randomFrom, unowned } from './paper-cluster.ts'

// A thousand lives of small rings, in which everything goes wrong: no two nodes give one address, but for one that is gone and
// does not know, in an older epoch; and no address is lost.

const ROUGH = { end: 0.08, unanswered: 0.08, late: 0.08 }
const RUNS = 1000

async function life(seed: number): Promise<{ readonly writes: number; readonly conflicts: number }> {
  const random = randomFrom(seed)
  const one = (limit: number) => Math.floor(random() * limit)
  const cluster = new PaperCluster('10.32.0.0/26', random)
  const init = { mode: 'consensus', peers: 3 } as const
  let made = 0
  const added = (name: string): PaperNode => new PaperNode(cluster, { name, uid: `u${++made}` }, init)
  const nodes = ['a', 'b', 'c'].map(added)
  const alive = () => nodes.filter(node => !node.isDeleted)
  cluster.chances = ROUGH
  cluster.meanwhile = () => {
    if (random() < 0.3) alive()[one(alive().length)]!.take()
  }

  const step = (node: PaperNode): Promise<unknown> => {
    switch (one(8)) {
      case 0:
        return node.learn(node.member.join())
      case 1:
        return node.learn(node.member.request(1 + one(8)))
      case 2:
      case 3:
        return node.learn(node.member.serve())
      case 4:
        return node.learn(node.member.look())
      case 5: {
        const range = node.member.usable().at(-1)
        const isIdle =
          range !== undefined && node.freeIn([range]).some(free => free.start === range.start && free.end === range.end)
        return isIdle ? node.member.giveBack(range) : Promise.resolve()
      }
      case 6: {
        const gone = nodes.find(other => other.isDeleted)
        return gone === undefined ? Promise.resolve() : node.learn(node.member.takeOver(gone.peer))
      }
      default:
        return node.learn(node.member.withdraw())
    }
  }

  const upset = (): void => {
    const node = nodes[one(nodes.length)]!
    switch (one(6)) {
      case 0:
        node.isCutOff = !node.isCutOff
        break
      case 1:
        node.restart()
        break
      case 2:
        for (let i = one(20); i > 0; i--) node.take()
        break
      case 3:
        for (const address of node.leases.keys()) if (random() < 0.5) node.leases.delete(address)
        break
      case 4:
        if (alive().length > 2) node.isDeleted = true
        break
      default:
        if (nodes.length < 7) nodes.push(added(random() < 0.5 ? node.peer.name : `n${nodes.length}`))
    }
  }

  for (let round = 0; round < 25; round++) {
    const busy = nodes.filter(() => random() < 0.6)
    const begun = busy.map(async node => {
      try {
        await step(node)
      } catch (error) {
        if ((error as Error).constructor.name === 'Ended') node.restart()
        throw error
      }
    })
    await cluster.carryOut(begun)
    if (random() < 0.7) upset()
    expect(doubled(nodes)).toEqual([])
    expect(doubledLeases(nodes)).toEqual([])
    if (cluster.ring !== undefined) expect(faultsOf(cluster.ring)).toEqual([])
  }

  // Calm: what was under way arrives, nodes that are gone are taken over, and all read the ring.
  cluster.chances = CALM
  cluster.meanwhile = () => {}
  cluster.arriveLate()
  const [heir] = alive()
  for (const node of alive()) node.isCutOff = false
  for (const node of alive()) {
    node.restart()
    await cluster.carryOut([node.learn(node.member.join())])
  }
  for (const { peer, isDeleted } of nodes)
    if (isDeleted) await cluster.carryOut([heir!.learn(heir!.member.takeOver(peer))])
  for (const node of alive()) await cluster.carryOut([node.learn(node.member.look())])
  if (cluster.ring !== undefined && cluster.ring.tokens.length > 0) expect(unowned(cluster, alive())).toEqual([])
  expect(doubled(nodes)).toEqual([])
  return cluster
}

test(`${RUNS} lives`, { timeout: 300_000 }, async () => {
  let [writes, conflicts] = [0, 0]
  for (let seed = 1; seed <= RUNS; seed++) {
    const counts = await life(seed).catch(error => {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    })
    writes += counts.writes
    conflicts += counts.conflicts
  }
  expect(writes).toBeGreaterThan(RUNS * 5)
  expect(conflicts).toBeGreaterThan(RUNS * 0.9)
})
