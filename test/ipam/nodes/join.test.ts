import { expect, test } from 'vitest'
import type { ListedNode } from '#ipam/nodes/adoption.ts'
import { clusterRanges } from '#ipam/nodes/blocks/cluster-ranges.ts'
import { RangesController } from '#ipam/nodes/ranges-controller.ts'
import { RangesLoop } from '#ipam/nodes/ranges-loop.ts'
import { type BlockRecord, recordFaults } from '#ipam/nodes/record/block-record.ts'
import type { RecordStore } from '#ipam/nodes/record/record-store.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { randomFrom } from '../ring/paper-cluster.ts'

// Five hundred nodes at once, and an API server that takes its time: how long it takes in simulated time, by compare-and-swap on
// one object, with as many controllers as take themselves for the leader.

const NODES = 500
const LIMIT_MS = 30_000
const LATENCY_MS = { least: 5, most: 120 }

class SlowCluster {
  readonly clock = new PaperClock()
  readonly nodes = new Map<string, ListedNode>()
  readonly writes = { record: 0, conflicts: 0, nodes: 0, refused: 0 }
  readonly #random: () => number
  readonly #loops: RangesLoop[] = []
  #stored: { readonly record: BlockRecord | undefined; readonly version: string } = { record: undefined, version: '0' }

  constructor(random: () => number) {
    this.#random = random
  }

  join(name: string): void {
    this.nodes.set(name, { name, uid: `u-${name}`, podCIDRs: [], deleting: false })
    for (const loop of this.#loops) loop.changed()
  }

  get waiting(): number {
    return [...this.nodes.values()].filter(({ podCIDRs }) => podCIDRs.length === 0).length
  }

  start(signal: AbortSignal): Promise<void> {
    const decoded = clusterRanges({ clusterCidr: '10.0.0.0/12,fd00::/48' })
    if (!decoded.ok) throw new Error(decoded.problems.join())
    const { clock } = this
    const controller = new RangesController({
      ...{ ranges: decoded.ranges, graceMs: 60_000, clock, random: this.#random },
      store: this.#store(),
      nodes: {
        list: async () => [...this.nodes.values()],
        uidOf: async name => {
          await this.#latency()
          return this.nodes.get(name)?.uid
        },
        setPodCIDRs: async ({ name, podCIDRs }) => {
          await this.#latency()
          const node = this.nodes.get(name)!
          if (node.podCIDRs.length > 0 && node.podCIDRs.join() !== podCIDRs.join()) {
            this.writes.refused++
            return { refused: 'it has others' }
          }
          this.nodes.set(name, { ...node, podCIDRs })
          this.writes.nodes++
          for (const loop of this.#loops) loop.changed()
          return 'set'
        },
      },
    })
    const loop = new RangesLoop({
      ...{ controller, clock, random: this.#random, onReport: () => {} },
      onFailure: error => {
        throw error
      },
    })
    this.#loops.push(loop)
    return loop.run(signal)
  }

  #store(): RecordStore {
    return {
      read: async () => {
        await this.#latency()
        return this.#stored
      },
      write: async (record, before) => {
        await this.#latency()
        if (before.version !== this.#stored.version) {
          this.writes.conflicts++
          return 'conflict'
        }
        expect(recordFaults(record)).toEqual([])
        this.#stored = { record, version: String(++this.writes.record) }
        await this.#latency()
        return 'stored'
      },
    }
  }

  #latency(): Promise<void> {
    return this.clock.sleep(LATENCY_MS.least + this.#random() * (LATENCY_MS.most - LATENCY_MS.least))
  }
}

test.each([1, 2, 5])('%d controllers serve 500 nodes that join within two seconds', async controllers => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = randomFrom(seed)
    const cluster = new SlowCluster(random)
    const stop = new AbortController()
    const running = Array.from({ length: controllers }, () => cluster.start(stop.signal))
    await cluster.clock.advance(500)
    const begun = cluster.clock.now()
    for (let i = 0; i < NODES; i++) {
      cluster.join(`n${i}`)
      await cluster.clock.advance(random() * 8)
    }
    while (cluster.waiting > 0 && cluster.clock.now() - begun < LIMIT_MS) await cluster.clock.advance(100)
    expect(cluster.waiting, `seed ${seed}`).toBe(0)
    const given = [...cluster.nodes.values()].flatMap(({ podCIDRs }) => podCIDRs)
    expect(new Set(given).size).toBe(2 * NODES)
    // Not a write of the record for each node.
    expect(cluster.writes.record).toBeLessThan(NODES / 10)
    stop.abort()
    await cluster.clock.advance(60_000)
    await Promise.all(running)
  }
})
