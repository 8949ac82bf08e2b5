import type { Cidr } from '#values/cidr.ts'
import { same } from '#values/same.ts'
import { type AdoptedHoldersParts, adopted, type ListedNode } from './adoption.ts'
import { BlockSet } from './blocks/block-set.ts'
import type { ClusterRange } from './blocks/cluster-ranges.ts'
import { HeldRanges } from './blocks/held-ranges.ts'
import { type FamilyCounts, type NodeFinding, type NodeKey, notAvailable, outOfRange, withheld } from './findings.ts'
import type { BlockHolder, BlockRecord } from './record/block-record.ts'

// The record and the Nodes → the record as it should be, and then the podCIDRs to set. First comes what the Nodes have
// already; blocks are given from what is left.

export interface NodeRoundParts extends AdoptedHoldersParts {
  readonly ranges: readonly ClusterRange[]
}

export interface NodeRound {
  /** The one before, where nothing is new. Nothing is set in a Node before this is stored. */
  readonly record: BlockRecord
  readonly patches: readonly NodePatch[]
  readonly findings: readonly NodeFinding[]
  readonly counts: readonly FamilyCounts[]
  /** Come and gone with this record. */
  readonly given: readonly BlockHolder[]
  readonly released: readonly BlockHolder[]
  readonly searches: readonly BlockSearch[]
  /** Where there are any, nothing else is known: they are to be proven, and the round is made again. */
  readonly doubts: readonly NodeKey[]
}

/** For one block that was given. */
export interface BlockSearch {
  readonly range: Cidr
  /** Blocks that were taken. */
  readonly passed: number
}

/** `uid`: of the only object that may be changed so. */
export interface NodePatch extends NodeKey {
  readonly podCIDRs: readonly Cidr[]
}

const NO_RECORD: BlockRecord = { holders: [], last: [], revision: 0 }

export function nodeRound(parts: NodeRoundParts): NodeRound {
  const before = parts.record ?? NO_RECORD
  const adoption = adopted(parts)
  const { doubts, nodes } = adoption
  if (doubts.length > 0)
    return { record: before, patches: [], findings: [], counts: [], given: [], released: [], searches: [], doubts }
  const sets = parts.ranges.map(range => new BlockSet(range))
  const outside = occupied(sets, adoption.holders, nodes)
  for (const set of sets) for (const block of before.last) set.startBehind(block)
  // What the Nodes have is recorded before the first block is given.
  const gifts = parts.record === undefined ? NO_GIFTS : given(nodes, adoption.holders, { sets, ranges: parts.ranges })
  const holders = [...adoption.holders, ...gifts.holders]
  const isNew = parts.record === undefined || !same(holders, before.holders)
  const last = gifts.holders.at(-1)?.blocks ?? before.last
  const record = isNew ? { holders, last, revision: before.revision + 1 } : before
  const setting = patches(nodes, holders)
  return {
    record,
    patches: setting.patches,
    findings: [...adoption.findings, ...outside, ...gifts.findings, ...setting.findings],
    counts: countsOf(sets, parts.ranges),
    given: gifts.holders,
    released: missing(before.holders, adoption.holders),
    searches: gifts.searches,
    doubts,
  }
}

/** Who holds nothing any longer. */
function missing(before: readonly BlockHolder[], after: readonly BlockHolder[]): readonly BlockHolder[] {
  if (before.length === after.length) return []
  const kept = new Set(after.map(({ uid }) => uid))
  return before.filter(({ uid }) => !kept.has(uid))
}

/** The nodes whose podCIDRs lie outside, in part or all. */
function occupied(
  sets: readonly BlockSet[],
  holders: readonly BlockHolder[],
  nodes: readonly ListedNode[],
): readonly NodeFinding[] {
  const listed = new Map(nodes.map(node => [node.uid, node]))
  return holders.flatMap(({ uid, blocks }) => {
    const outside = blocks.filter(block => sets.map(set => set.occupy(block)).every(isInside => !isInside))
    const node = listed.get(uid)
    if (outside.length === 0 || node === undefined) return []
    return [
      outOfRange(
        node,
        outside,
        sets.map(({ range }) => range),
      ),
    ]
  })
}

interface Gifts {
  readonly holders: readonly BlockHolder[]
  readonly searches: readonly BlockSearch[]
  readonly findings: readonly NodeFinding[]
}

const NO_GIFTS: Gifts = { holders: [], searches: [], findings: [] }

interface Supply {
  readonly sets: readonly BlockSet[]
  readonly ranges: readonly ClusterRange[]
}

/** A node gets a block of each family, or none at all. */
function given(nodes: readonly ListedNode[], before: readonly BlockHolder[], { sets, ranges }: Supply): Gifts {
  const known = new Set(before.map(({ uid }) => uid))
  const returning = before.filter(({ goneSince }) => goneSince !== undefined).length
  const holders: BlockHolder[] = []
  const searches: BlockSearch[] = []
  const findings: NodeFinding[] = []
  for (const node of nodes) {
    if (known.has(node.uid) || node.podCIDRs.length > 0 || node.deleting) continue
    if (sets.some(({ counts }) => counts.free === 0)) {
      findings.push(notAvailable(node, countsOf(sets, ranges), returning))
      continue
    }
    holders.push({ name: node.name, uid: node.uid, blocks: sets.map(set => set.take()!) })
    searches.push(...sets.map(({ range, passed }) => ({ range, passed })))
  }
  return { holders, searches, findings }
}

function countsOf(sets: readonly BlockSet[], ranges: readonly ClusterRange[]): readonly FamilyCounts[] {
  return sets.map((set, i) => ({ range: set.range, nodeMask: ranges[i]!.nodeMask, ...set.counts }))
}

function patches(
  nodes: readonly ListedNode[],
  holders: readonly BlockHolder[],
): Pick<NodeRound, 'patches' | 'findings'> {
  const empty = new Set(nodes.flatMap(({ uid, podCIDRs }) => (podCIDRs.length === 0 ? [uid] : [])))
  const due = holders.filter(({ uid, goneSince }) => goneSince === undefined && empty.has(uid))
  const contested = holders.filter(holder => holder.contested)
  const held = new HeldRanges([...contested, ...due].flatMap(({ blocks }) => blocks))
  for (const { name, blocks } of contested) for (const block of blocks) held.hold(block, name)
  const found: { patches: NodePatch[]; findings: NodeFinding[] } = { patches: [], findings: [] }
  for (const { name, uid, blocks } of due) {
    const other = blocks.map(block => held.holderOf(block)).find(holder => holder !== undefined)
    if (other === undefined) found.patches.push({ name, uid, podCIDRs: blocks })
    else found.findings.push(withheld({ name, uid }, blocks, other))
  }
  return found
}
