import type { Clock } from '#system/ports.ts'
import type { ListedNode } from './adoption.ts'
import type { ClusterRange } from './blocks/cluster-ranges.ts'
import type { FamilyCounts, NodeFinding } from './findings.ts'
import { type BlockSearch, type NodePatch, type NodeRound, nodeRound } from './node-round.ts'
import { type BlockHolder, type BlockRecord, recordFaults } from './record/block-record.ts'
import { type RecordStore, RecordUnusable } from './record/record-store.ts'

// Gives each node its blocks: the record first, then the Node. What a controller that was ended in between has left, the next
// round sets. That one of several leads spares requests; that no block is given twice does not depend on it.

export interface NodeObjects {
  /** All of them; may be behind. */
  list(): Promise<readonly ListedNode[]>
  /** As the API server has it now, never from a cache. Undefined where there is no Node of this name. */
  uidOf(name: string): Promise<string | undefined>
  /**
   * `refused`, with the answer: nearly always the Node is gone, has another uid, or podCIDRs already. Where it fails, they may be
   * set all the same.
   */
  setPodCIDRs(patch: NodePatch): Promise<'set' | { readonly refused: string }>
}

export interface UnsetCIDRs {
  readonly patch: NodePatch
  readonly why: string
}

export interface RangesControllerParts {
  readonly ranges: readonly ClusterRange[]
  readonly store: RecordStore
  readonly nodes: NodeObjects
  readonly graceMs: number
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
}

export interface RangesReport {
  readonly findings: readonly NodeFinding[]
  readonly counts: readonly FamilyCounts[]
  /** Recorded in this round, and taken out of the record. */
  readonly given: readonly BlockHolder[]
  readonly released: readonly BlockHolder[]
  readonly searches: readonly BlockSearch[]
  readonly set: readonly NodePatch[]
  readonly refused: readonly UnsetCIDRs[]
  /** Tried again in the next round. */
  readonly failed: readonly UnsetCIDRs[]
  /** Of the record. */
  readonly recordWrites: number
  /** Writes that came after another's. */
  readonly conflicts: number
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 3000
const TRIES = 30
/** As many Nodes are asked for, or changed, at once as kube-controller-manager has workers for it. */
const AT_ONCE = 30

export class RangesController {
  readonly #parts: RangesControllerParts

  constructor(parts: RangesControllerParts) {
    this.#parts = parts
  }

  /** Fails where the record cannot be read or written; then nothing is set in any Node. */
  async round(): Promise<RangesReport> {
    const { store, clock, random } = this.#parts
    let recordWrites = 0
    for (let conflicts = 0, pause = FIRST_PAUSE_MS; conflicts < TRIES; ) {
      const before = await store.read()
      refuse(before.record)
      const round = await this.#decided(before.record)
      const isRecordChanged = round.record !== before.record
      refuse(round.record)
      const written = isRecordChanged ? await store.write(round.record, before) : 'stored'
      if (written === 'stored' && isRecordChanged) recordWrites++
      // What the Nodes have is recorded by itself at first; what they lack is given by the record that is read next.
      if (written === 'stored' && before.record === undefined) continue
      if (written === 'stored') return this.#carriedOut(round, { recordWrites, conflicts })
      conflicts++
      await clock.sleep(random() * pause)
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
    }
    throw new RecordUnusable(`the record of node ranges was changed by others ${TRIES} times in a row`)
  }

  /** Whether a node that the list lacks is really gone is asked of the API server itself. */
  async #decided(record: BlockRecord | undefined): Promise<NodeRound> {
    const { nodes, clock, ranges, graceMs } = this.#parts
    const listed = await nodes.list()
    const proven = new Map<string, 'alive' | 'deleted'>()
    for (;;) {
      const round = nodeRound({ record, nodes: listed, ranges, proven, now: clock.now(), graceMs })
      if (round.doubts.length === 0) return round
      await eachOf(round.doubts, async ({ name, uid }) => {
        proven.set(uid, (await nodes.uidOf(name)) === uid ? 'alive' : 'deleted')
      })
    }
  }

  async #carriedOut(
    round: NodeRound,
    outcome: Pick<RangesReport, 'recordWrites' | 'conflicts'>,
  ): Promise<RangesReport> {
    const set: NodePatch[] = []
    const refused: UnsetCIDRs[] = []
    const failed: UnsetCIDRs[] = []
    await eachOf(round.patches, async patch => {
      try {
        const answer = await this.#parts.nodes.setPodCIDRs(patch)
        if (answer === 'set') set.push(patch)
        else refused.push({ patch, why: answer.refused })
      } catch (error) {
        failed.push({ patch, why: error instanceof Error ? error.message : String(error) })
      }
    })
    const { findings, counts, given, released, searches } = round
    return { findings, counts, given, released, searches, set, refused, failed, ...outcome }
  }
}

/** A failure ends all of it: nothing is begun after it, and what was under way is done when this fails. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = []
  const left = items.values()
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (failures.length > 0) return
      await work(item).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
}

function refuse(record: BlockRecord | undefined): void {
  const [fault] = record === undefined ? [] : recordFaults(record)
  if (fault !== undefined) throw new RecordUnusable(`the record of node ranges is damaged: ${fault}`)
}
