import type { Node } from '#kubernetes/objects.ts'
import type { Cidr } from '#values/cidr.ts'
import { HeldRanges } from './blocks/held-ranges.ts'
import { conflict, type NodeFinding, type NodeKey, notAsRecorded } from './findings.ts'
import type { BlockHolder, BlockRecord } from './record/block-record.ts'

// The record and the Nodes → the record's holders as the Nodes show them to be. A list of Nodes may be behind: what costs a
// node its blocks must be proven first.

export interface ListedNode extends NodeKey {
  readonly podCIDRs: readonly Cidr[]
  readonly deleting: boolean
}

export function listedNode({ name, uid, podCIDRs, deleting }: Node): ListedNode {
  return { name, uid, podCIDRs, deleting }
}

/**
 * By uid: what a read from the API server itself has shown, after the Node had been seen. A uid that is deleted never comes
 * back, so this proof does not age; that one is alive holds for the round.
 */
export type Proven = ReadonlyMap<string, 'alive' | 'deleted'>

export interface AdoptedHoldersParts {
  readonly record: BlockRecord | undefined
  readonly nodes: readonly ListedNode[]
  readonly proven: Proven
  readonly now: number
  /** Pods of a node whose Node object is deleted may run on: its blocks come back after this time. */
  readonly graceMs: number
}

export interface AdoptedHolders {
  readonly holders: readonly BlockHolder[]
  /** Without those that are known to be deleted, and those without a uid, which no API server has. */
  readonly nodes: readonly ListedNode[]
  readonly findings: readonly NodeFinding[]
  /** Whether these are still there must be proven before anything is changed. */
  readonly doubts: readonly NodeKey[]
}

export function adopted(parts: AdoptedHoldersParts): AdoptedHolders {
  const recorded = parts.record?.holders ?? []
  const gone = new Set(recorded.flatMap(({ uid, goneSince }) => (goneSince === undefined ? [] : [uid])))
  const nodes = parts.nodes
    .filter(({ uid }) => uid !== '' && !gone.has(uid) && parts.proven.get(uid) !== 'deleted')
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const followed = followers(recorded, nodes, parts)
  const known = new Set(recorded.map(({ uid }) => uid))
  const found = nodes
    .filter(({ uid, podCIDRs }) => !known.has(uid) && podCIDRs.length > 0)
    .map(({ name, uid, podCIDRs }): BlockHolder => ({ name, uid, blocks: podCIDRs }))
  const disputes = contested([...followed.kept, ...followed.changed, ...found])
  const wasContested = new Set(recorded.flatMap(holder => (holder.contested ? [holder.uid] : [])))
  const accused = disputes.holders.filter(
    ({ uid, contested, goneSince }) =>
      contested && goneSince === undefined && !wasContested.has(uid) && !parts.proven.has(uid),
  )
  return {
    holders: disputes.holders,
    nodes,
    findings: [...followed.findings, ...disputes.findings],
    doubts: [...followed.unseen, ...accused].map(({ name, uid }) => ({ name, uid })),
  }
}

interface Followers {
  readonly kept: readonly BlockHolder[]
  /** Whose Nodes have other podCIDRs than was recorded: they came to these after all others. */
  readonly changed: readonly BlockHolder[]
  readonly unseen: readonly BlockHolder[]
  readonly findings: readonly NodeFinding[]
}

function followers(
  recorded: readonly BlockHolder[],
  nodes: readonly ListedNode[],
  { proven, now, graceMs }: AdoptedHoldersParts,
): Followers {
  const byUid = new Map(nodes.map(node => [node.uid, node]))
  const kept: BlockHolder[] = []
  const changed: BlockHolder[] = []
  const unseen: BlockHolder[] = []
  const findings: NodeFinding[] = []
  for (const holder of recorded) {
    const node = byUid.get(holder.uid)
    if (holder.goneSince !== undefined) {
      if (now - holder.goneSince < graceMs) kept.push(holder)
    } else if (node === undefined) {
      const proof = proven.get(holder.uid)
      if (proof === undefined) unseen.push(holder)
      kept.push(proof === 'deleted' ? { ...holder, goneSince: now } : holder)
    } else if (node.podCIDRs.length === 0 || node.podCIDRs.join() === holder.blocks.join()) kept.push(holder)
    else {
      // podCIDRs that are set cannot be changed any more: what was recorded will never be set.
      changed.push({ name: holder.name, uid: holder.uid, blocks: node.podCIDRs })
      findings.push(notAsRecorded(node, node.podCIDRs, holder.blocks))
    }
  }
  return { kept, changed, unseen, findings }
}

function contested(holders: readonly BlockHolder[]): Pick<AdoptedHolders, 'holders' | 'findings'> {
  const held = new HeldRanges(holders.flatMap(({ blocks }) => blocks))
  const findings: NodeFinding[] = []
  const flagged = holders.map((holder): BlockHolder => {
    const other = holder.blocks.map(block => held.holderOf(block)).find(name => name !== undefined)
    for (const block of holder.blocks) held.hold(block, holder.name)
    if (other !== undefined) {
      if (holder.goneSince === undefined) findings.push(conflict(holder, holder.blocks, other))
      return holder.contested ? holder : { ...holder, contested: true }
    }
    if (!holder.contested) return holder
    const { contested: _, ...alone } = holder
    return alone
  })
  return { holders: flagged, findings }
}
