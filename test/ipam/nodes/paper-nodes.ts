import type { ListedNode } from '#ipam/nodes/adoption.ts'
import type { ClusterRange } from '#ipam/nodes/blocks/cluster-ranges.ts'
import type { NodePatch } from '#ipam/nodes/node-round.ts'
import { type NodeObjects, RangesController } from '#ipam/nodes/ranges-controller.ts'
import { type BlockRecord, recordFaults } from '#ipam/nodes/record/block-record.ts'
import type { RecordStore, StoredRecord } from '#ipam/nodes/record/record-store.ts'
import { overlaps, parseCidr } from '#values/cidr.ts'

// An API server on paper: Nodes, and the stored record. Controllers see lists of Nodes that are behind, get no answers, end
// between any two calls, and their writes may arrive long after they gave up on them.

/** The process of a controller has ended in the middle of something. */
export class ControllerEnded extends Error {}
export class NoAnswer extends Error {}

export interface Troubles {
  readonly end: number
  readonly unanswered: number
  readonly late: number
}

export const NO_TROUBLES: Troubles = { end: 0, unanswered: 0, late: 0 }

export class PaperNodes {
  readonly random: () => number
  troubles: Troubles = NO_TROUBLES
  now = 1_000_000
  nodes = new Map<string, ListedNode>()
  record: BlockRecord | undefined
  version = 0
  counts = { writes: 0, conflicts: 0, late: 0 }
  /** How the Nodes were, oldest first. */
  readonly #past: (readonly ListedNode[])[] = [[]]
  readonly #waiting: (() => void)[] = []
  readonly #late: (() => void)[] = []
  #made = 0

  constructor(random: () => number) {
    this.random = random
  }

  /** With podCIDRs that another program has set, where there are any. */
  register(name: string, ...ranges: readonly string[]): void {
    const podCIDRs = ranges.map(range => parseCidr(range)!)
    this.nodes.set(name, { name, uid: `u${++this.#made}`, podCIDRs, deleting: false })
    this.#changed()
  }

  delete(name: string): void {
    this.nodes.delete(name)
    this.#changed()
  }

  controller(parts: { readonly ranges: readonly ClusterRange[]; readonly graceMs: number }): RangesController {
    return new RangesController({
      ...parts,
      store: this.#store(),
      nodes: this.#objects(),
      clock: { now: () => this.now, sleep: async () => {} },
      random: this.random,
    })
  }

  /** Calls are carried out one at a time, in any order, until all that was begun is done; ended processes are no failure. */
  async carryOut(work: readonly Promise<unknown>[]): Promise<void> {
    let isDone = false
    const all = Promise.allSettled(work).finally(() => {
      isDone = true
    })
    while (!isDone) {
      await new Promise<void>(resolve => setImmediate(resolve))
      const at = Math.floor(this.random() * this.#waiting.length)
      this.#waiting.splice(at, 1)[0]?.()
      if (this.random() < 0.05) this.#arrive()
    }
    for (const outcome of await all) {
      if (outcome.status === 'fulfilled') continue
      const { reason } = outcome
      if (!(reason instanceof ControllerEnded || reason instanceof NoAnswer)) throw reason
    }
  }

  /** What was still under way arrives. */
  arriveAll(): void {
    while (this.#late.length > 0) this.#arrive()
  }

  /** Pairs of Nodes that have an address both. */
  doubled(): readonly string[] {
    const nodes = [...this.nodes.values()]
    return nodes.flatMap((one, i) =>
      nodes.slice(i + 1).flatMap(other => {
        const isDouble = one.podCIDRs.some(a => other.podCIDRs.some(b => overlaps(a, b)))
        return isDouble ? [`${one.name} and ${other.name}: ${one.podCIDRs} and ${other.podCIDRs}`] : []
      }),
    )
  }

  #changed(): void {
    this.#past.push([...this.nodes.values()])
  }

  #arrive(): void {
    const at = Math.floor(this.random() * this.#late.length)
    const arrived = this.#late.splice(at, 1)[0]
    if (arrived === undefined) return
    arrived()
    this.counts.late++
  }

  #store(): RecordStore {
    return {
      read: async () => {
        await this.#turn()
        return { record: this.record, version: String(this.version) }
      },
      write: (record, before) => this.#written(() => this.#write(record, before)),
    }
  }

  #objects(): NodeObjects {
    let seen = 0
    return {
      list: async () => {
        await this.#turn()
        // A list may be old, and never goes back.
        const newest = this.#past.length - 1
        const isCalm = this.troubles === NO_TROUBLES
        seen = isCalm ? newest : seen + Math.floor(this.random() ** 2 * (newest - seen + 1))
        return this.#past[seen]!
      },
      uidOf: async name => {
        await this.#turn()
        return this.nodes.get(name)?.uid
      },
      setPodCIDRs: patch => this.#written(() => this.#patch(patch)),
    }
  }

  #write(record: BlockRecord, before: StoredRecord): 'stored' | 'conflict' {
    if (before.version !== String(this.version)) {
      this.counts.conflicts++
      return 'conflict'
    }
    const faults = recordFaults(record)
    if (faults.length > 0) throw new Error(`a damaged record was written: ${faults.join('; ')}`)
    this.record = record
    this.version++
    this.counts.writes++
    return 'stored'
  }

  #patch({ name, uid, podCIDRs }: NodePatch): 'set' | { readonly refused: string } {
    const node = this.nodes.get(name)
    if (node?.uid !== uid || node.podCIDRs.length > 0) return { refused: 'it is not as it was' }
    this.nodes.set(name, { ...node, podCIDRs })
    this.#changed()
    return 'set'
  }

  async #written<T>(write: () => T): Promise<T> {
    await this.#turn()
    if (this.random() < this.troubles.late) {
      this.#late.push(write)
      throw new NoAnswer()
    }
    const outcome = write()
    if (this.random() < this.troubles.unanswered) throw new NoAnswer()
    if (this.random() < this.troubles.end) throw new ControllerEnded()
    return outcome
  }

  async #turn(): Promise<void> {
    await new Promise<void>(resolve => this.#waiting.push(resolve))
    if (this.random() < this.troubles.end) throw new ControllerEnded()
    if (this.random() < this.troubles.unanswered) throw new NoAnswer()
  }
}
