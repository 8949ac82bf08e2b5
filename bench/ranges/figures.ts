// What is measured of ranges across a cluster.

export interface RangesFigures {
  readonly controller: ControllerFigures
  readonly ring: RingFigures
}

export interface RingFigures {
  readonly nodes: number
  /** So many join in one moment. */
  readonly atOnce: number
  /** From the first request to the last node that takes part. */
  readonly tookMs: number
  /** Of the ConfigMap that were stored. */
  readonly writes: number
  /** That came after another's, and were made again. */
  readonly conflicts: number
  /** Of the ring in the ConfigMap. */
  readonly textMiB: number
  /** What a daemon takes for the whole ring. */
  readonly heapMiB: number
}

export interface ControllerFigures {
  readonly nodes: number
  /** All Nodes are there and have no range: from the start of one controller to the last podCIDRs. */
  readonly alone: JoinFigures
  /** The same with two controllers that both take themselves for the leader. */
  readonly two: JoinFigures
  /** In a cluster of that size, a Node that comes: until it has its podCIDRs. */
  readonly oneMoreMs: readonly number[]
  /** After all that, of one process; it starts no other. */
  readonly residentMiB: number
  readonly peakMiB: number
}

export interface JoinFigures {
  /** From the first podCIDRs that were set to the last. */
  readonly givingMs: number
  /** From the start of the process. */
  readonly totalMs: number
  readonly nodeWrites: number
  readonly refused: number
  readonly recordWrites: number
  readonly conflicts: number
}
