import type { Cidr } from '#values/cidr.ts'
import type { BlockCounts } from './blocks/block-set.ts'

// What is to be reported of a node and its blocks → the reason and the sentence of an Event.

export interface NodeFinding {
  readonly node: NodeKey
  readonly reason: NodeFindingReason
  readonly message: string
}

export interface NodeKey {
  readonly name: string
  readonly uid: string
}

export type NodeFindingReason =
  /** Kubernetes' own: no block is free, and a Node that could not be written. */
  'CIDRNotAvailable' | 'CIDRAssignmentFailed' | 'CIDRConflict' | 'CIDRNotAsRecorded' | 'CIDROutOfRange'

export interface FamilyCounts extends BlockCounts {
  readonly range: Cidr
  readonly nodeMask: number
}

export function notAvailable(node: NodeKey, counts: readonly FamilyCounts[], returning: number): NodeFinding {
  const full = counts.filter(({ free }) => free === 0).map(countsText)
  const soon = returning === 0 ? 'none comes back soon' : `those of ${count(returning, 'deleted node')} come back soon`
  return {
    node,
    reason: 'CIDRNotAvailable',
    message: `no block is left for node ${node.name}: ${full.join('; ')}; ${soon}`,
  }
}

/** `10.244.0.0/20 has 16 blocks of /24, 16 used and 0 excluded for Services` */
export function countsText({ range, nodeMask, total, used, excluded }: FamilyCounts): string {
  return `${range} has ${count(total, 'block')} of /${nodeMask}, ${used} used and ${excluded} excluded for Services`
}

/** Both Node objects have the addresses already. */
export function conflict(node: NodeKey, blocks: readonly Cidr[], other: string): NodeFinding {
  const message = `podCIDRs ${blocks.join(',')} of node ${node.name} have addresses of node ${other}, too; neither is changed: delete one of the two Nodes, so that it gets others when it registers again`
  return { node, reason: 'CIDRConflict', message }
}

/** This Node has none in its object yet, and gets none while the other is there. */
export function withheld(node: NodeKey, blocks: readonly Cidr[], other: string): NodeFinding {
  const message = `${blocks.join(',')} was recorded for node ${node.name}, and another program has set it in node ${other} meanwhile; ${node.name} gets none: delete it, so that it gets others when it registers again`
  return { node, reason: 'CIDRConflict', message }
}

export function notAsRecorded(node: NodeKey, blocks: readonly Cidr[], recorded: readonly Cidr[]): NodeFinding {
  const message = `podCIDRs of node ${node.name} are ${blocks.join(',')}, recorded was ${recorded.join(',')}: another program has set them; the Node stays as it is, and the record follows`
  return { node, reason: 'CIDRNotAsRecorded', message }
}

export function outOfRange(node: NodeKey, blocks: readonly Cidr[], ranges: readonly Cidr[]): NodeFinding {
  const message = `podCIDRs ${blocks.join(',')} of node ${node.name} are not in the cluster's ${ranges.join(',')}; the Node stays as it is`
  return { node, reason: 'CIDROutOfRange', message }
}

export function assignmentFailed(node: NodeKey, blocks: readonly Cidr[], why: string): NodeFinding {
  const message = `podCIDRs ${blocks.join(',')} are recorded for node ${node.name} and could not be set: ${why}; it is tried again`
  return { node, reason: 'CIDRAssignmentFailed', message }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
