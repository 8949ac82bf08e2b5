import type { RingInit } from '#ipam/ring/division.ts'
import { type Journal, type Learned, NOTHING_KNOWN } from '#ipam/ring/journal.ts'
import { type JournalStore, RingMember, type RingStore, type StoredRing } from '#ipam/ring/member.ts'
import {
  addressAt,
  boundsOf,
  faultsOf,
  type OwnedRange,
  type Ring,
  type RingPeer,
  type RingRange,
} from '#ipam/ring/ring.ts'
import type { Cidr } from '#values/cidr.ts'

// A cluster on paper: one stored ring, and nodes that read and write it at once, are cut off, end between any two writes, and
// whose writes may arrive long after they gave up on them.

/** The process of a node has ended in the middle of something. */
export class Ended extends Error {}
export class Unreachable extends Error {}

export interface Chances {
  /** Of each call to the store: that the process ends there, that there is no answer, that a write arrives later. */
  readonly end: number
  readonly unanswered: number
  readonly late: number
}

export const CALM: Chances = { end: 0, unanswered: 0, late: 0 }

export class PaperCluster {
  readonly range: Cidr
  readonly random: () => number
  chances: Chances = CALM
  /** What happens on the nodes while calls to the store are under way. */
  meanwhile: () => void = () => {}
  ring: Ring | undefined
  version = 0
  writes = 0
  conflicts = 0
  readonly #waiting: (() => void)[] = []
  readonly #late: (() => void)[] = []

  constructor(range: string, random: () => number) {
    this.range = range as Cidr
    this.random = random
  }

  /** Calls to the store are carried out one at a time, in any order, until all that was begun is done. */
  async carryOut(work: readonly Promise<unknown>[]): Promise<void> {
    let isDone = false
    const all = Promise.allSettled(work).then(outcomes => {
      isDone = true
      return outcomes
    })
    while (!isDone) {
      await settled()
      const at = Math.floor(this.random() * this.#waiting.length)
      this.#waiting.splice(at, 1)[0]?.()
      this.meanwhile()
      if (this.#late.length > 0 && this.random() < 0.1) this.#late.splice(0, 1)[0]!()
    }
    const failed = (await all).flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason] : []))
    const real = failed.find(reason => !(reason instanceof Ended || reason instanceof Unreachable))
    if (real !== undefined) throw real
  }

  /** What was still under way arrives. */
  arriveLate(): void {
    for (const arrive of this.#late.splice(0)) arrive()
  }

  storeFor(node: PaperNode): RingStore {
    return {
      read: async () => {
        await this.#turn(node)
        if (this.random() < this.chances.unanswered) throw new Unreachable()
        return { ring: this.ring, version: String(this.version) }
      },
      write: async (ring, before) => {
        await this.#turn(node)
        if (this.random() < this.chances.late) {
          this.#late.push(() => this.#write(ring, before))
          throw new Unreachable()
        }
        const outcome = this.#write(ring, before)
        if (this.random() < this.chances.unanswered) throw new Unreachable()
        if (this.random() < this.chances.end) throw new Ended()
        return outcome
      },
    }
  }

  async #turn(node: PaperNode): Promise<void> {
    await new Promise<void>(resolve => this.#waiting.push(resolve))
    if (node.isCutOff) throw new Unreachable()
    if (this.random() < this.chances.end) throw new Ended()
  }

  #write(ring: Ring, before: StoredRing): { readonly version: string } | 'conflict' {
    if (before.version !== String(this.version)) {
      this.conflicts++
      return 'conflict'
    }
    const faults = faultsOf(ring)
    if (faults.length > 0) throw new Error(`a damaged ring was written: ${faults.join('; ')}`)
    this.ring = ring
    this.version++
    this.writes++
    return { version: String(this.version) }
  }
}

async function settled(): Promise<void> {
  await new Promise<void>(resolve => setImmediate(resolve))
}

export class PaperNode {
  readonly peer: RingPeer
  readonly leases = new Map<number, number>()
  isCutOff = false
  /** Its Node object was deleted; the machine may not know. */
  isDeleted = false
  journal: Journal = NOTHING_KNOWN
  readonly lost: OwnedRange[] = []
  readonly #cluster: PaperCluster
  readonly #init: RingInit
  member: RingMember

  constructor(cluster: PaperCluster, peer: RingPeer, init: RingInit) {
    this.#cluster = cluster
    this.peer = peer
    this.#init = init
    this.member = this.#started()
  }

  /** Another process on the same disk. */
  restart(): void {
    this.member = this.#started()
  }

  async learn(doing: Promise<Learned>): Promise<void> {
    this.lost.push(...(await doing).lost)
  }

  /** A pod gets the lowest free address; false where there is none. */
  take(): boolean {
    for (const { start, end, epoch } of this.member.usable()) {
      for (let address = start; address < end; address++) {
        if (this.leases.has(address)) continue
        this.leases.set(address, epoch)
        return true
      }
    }
    return false
  }

  freeIn(ranges: readonly RingRange[]): readonly RingRange[] {
    const taken = [...this.leases.keys()].sort((a, b) => a - b)
    return ranges.flatMap(({ start, end }) => {
      const found: RingRange[] = []
      let from = start
      for (const address of taken) {
        if (address < from || address >= end) continue
        if (address > from) found.push({ start: from, end: address })
        from = address + 1
      }
      return from < end ? [...found, { start: from, end }] : found
    })
  }

  #started(): RingMember {
    const journal: JournalStore = {
      load: () => this.journal,
      save: next => {
        this.journal = next
      },
    }
    return new RingMember({
      peer: this.peer,
      range: this.#cluster.range,
      init: this.#init,
      store: this.#cluster.storeFor(this),
      journal,
      freeIn: ranges => this.freeIn(ranges),
      clock: { now: () => 0, sleep: async () => {} },
      random: this.#cluster.random,
    })
  }
}

/** Addresses that two nodes would give: in one epoch, or while neither of the two is gone. */
export function doubled(nodes: readonly PaperNode[]): readonly string[] {
  const owned = nodes.flatMap(node => node.member.usable().map(range => ({ ...range, node })))
  owned.sort((a, b) => a.start - b.start)
  const found: string[] = []
  owned.forEach((one, i) => {
    for (let j = i + 1; j < owned.length && owned[j]!.start < one.end; j++) {
      const other = owned[j]!
      const isFenced = one.node.isDeleted || other.node.isDeleted
      if (other.epoch !== one.epoch && isFenced) continue
      found.push(
        `${addressAt(other.start)}: ${named(one.node)} in epoch ${one.epoch}, ${named(other.node)} in ${other.epoch}`,
      )
    }
  })
  return found
}

function named({ peer }: PaperNode): string {
  return `${peer.name}/${peer.uid}`
}

/** Addresses that pods of two nodes have, neither of which is gone. */
export function doubledLeases(nodes: readonly PaperNode[]): readonly string[] {
  const seen = new Map<number, PaperNode>()
  return nodes
    .filter(node => !node.isDeleted)
    .flatMap(node =>
      [...node.leases.keys()].flatMap(address => {
        const other = seen.get(address)
        seen.set(address, node)
        return other === undefined ? [] : [`${addressAt(address)}: pods of ${named(other)} and ${named(node)}`]
      }),
    )
}

/** Addresses that no node would ever give again. */
export function unowned(cluster: PaperCluster, nodes: readonly PaperNode[]): readonly string[] {
  const { start, end } = boundsOf(cluster.range)
  const owned = nodes.flatMap(node => node.member.usable()).toSorted((a, b) => a.start - b.start)
  const found: string[] = []
  let at = start
  for (const range of owned) {
    if (range.start > at) found.push(`${addressAt(at)} to ${addressAt(range.start - 1)}`)
    at = Math.max(at, range.end)
  }
  return at < end ? [...found, `${addressAt(at)} to ${addressAt(end - 1)}`] : found
}

/** Numbers from 0 up to 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
