import { RangeKeeper } from '#cni/daemon/ranges/range-keeper.ts'
import { allocatable } from '#ipam/ranges/allocatable.ts'
import type { RingInit } from '#ipam/ring/division.ts'
import type { RingStore, StoredRing } from '#ipam/ring/member.ts'
import type { Ring } from '#ipam/ring/ring.ts'
import { type RingLimits, RingSource } from '#ipam/sources/ring-source.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { addressNumber, parseAddress } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { randomFrom } from '../ring/paper-cluster.ts'
import { PaperMemory } from './paper-memory.ts'

// Nodes as the daemon runs them, around one stored ring, in simulated time: requests take milliseconds, and of writes that meet
// one is stored.

const REQUEST_MS = [2, 8] as const
const WRITE_MS = 5

export class ClockedCluster {
  readonly clock = new PaperClock(1_000_000)
  readonly range: Cidr
  readonly random: () => number
  readonly uids = new Map<string, string>()
  ring: Ring | undefined
  isAway = false
  counts = { reads: 0, writes: 0, conflicts: 0 }
  #version = 0

  constructor(range: string, seed = 1) {
    this.range = range as Cidr
    this.random = randomFrom(seed)
  }

  readonly store: RingStore = {
    read: async () => {
      await this.#takes()
      this.counts.reads++
      return { ring: this.ring, version: String(this.#version) }
    },
    write: async (ring, before) => {
      await this.#takes()
      // As kube-apiserver does: what is outdated when it arrives does not get as far as etcd.
      if (before.version === String(this.#version)) await this.clock.sleep(WRITE_MS)
      return this.#write(ring, before)
    },
  }

  #write(ring: Ring, before: StoredRing): { readonly version: string } | 'conflict' {
    if (before.version !== String(this.#version)) {
      this.counts.conflicts++
      return 'conflict'
    }
    this.counts.writes++
    this.ring = ring
    this.#version++
    return { version: String(this.#version) }
  }

  async #takes(): Promise<void> {
    const [least, most] = REQUEST_MS
    await this.clock.sleep(least + this.random() * (most - least))
    if (this.isAway) throw new Error('the API server is away')
  }
}

export interface ClockedNodeOptions {
  readonly init: RingInit
  readonly limits?: Partial<RingLimits>
}

export class ClockedNode {
  readonly memory = new PaperMemory()
  readonly source: RingSource
  readonly failures: unknown[] = []
  readonly lost: string[] = []
  readonly #cluster: ClockedCluster
  readonly #stop = new AbortController()
  #since: number | undefined

  constructor(cluster: ClockedCluster, name: string, { init, limits }: ClockedNodeOptions) {
    this.#cluster = cluster
    const { clock, random, range, store } = cluster
    if (!cluster.uids.has(name)) cluster.uids.set(name, `uid-${name}`)
    this.source = new RingSource({
      ...{ nodeName: name, range, subnet: range, memory: this.memory, store, clock, random },
      init: async () => init,
      uidOf: async other => {
        if (cluster.isAway) throw new Error('the API server is away')
        return cluster.uids.get(other)
      },
      ...(limits && { limits }),
    })
  }

  /** As the daemon does; until it is stopped. */
  start(): void {
    const { clock, random } = this.#cluster
    const keeper = new RangeKeeper({
      ...{ source: this.source, clock, random },
      room: async ({ sets }) => {
        const size = allocatable(sets).flat()
        const all = size.reduce((sum, { first, last }) => sum + last - first + 1n, 0n)
        return { size: all, free: all - BigInt(this.memory.leases.size) }
      },
      reports: {
        looked: async ({ lost }) => {
          this.lost.push(...lost.map(({ first, last }) => `${first}-${last}`))
          if (this.source.mine().sets.length > 0) this.#since ??= clock.now()
        },
        asked() {},
        gaveBack() {},
        failed: error => void this.failures.push(error),
      },
    })
    void keeper.run(this.#stop.signal)
  }

  stop(): void {
    this.#stop.abort()
  }

  /** When it had its first range. */
  get since(): number | undefined {
    return this.#since
  }

  /** A pod gets an address; false where none is free. */
  take(): boolean {
    for (const { start, end, gateway } of this.source.mine().sets.flat()) {
      for (let at = numberOf(start); at <= numberOf(end); at++) {
        if (this.memory.leases.has(at) || at === numberOf(gateway)) continue
        this.memory.leases.add(at)
        return true
      }
    }
    return false
  }
}

function numberOf(address: string): number {
  return Number(addressNumber(parseAddress(address)!))
}
