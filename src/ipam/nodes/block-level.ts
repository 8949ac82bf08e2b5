import type { FamilyCounts } from './findings.ts'

// The counts of a cluster's range → how near it is to the last block.

export type BlockLevel = 'roomy' | 'near' | 'full'

/** A tenth left, and at least one block: so early that a range can still be planned for the nodes to come. */
const NEAR = 0.1

export function blockLevel({ total, excluded, used, free }: FamilyCounts): BlockLevel {
  if (free === 0) return 'full'
  return used > 0 && free <= Math.max(1, Math.floor((total - excluded) * NEAR)) ? 'near' : 'roomy'
}
