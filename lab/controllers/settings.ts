// How long controllers wait. Shorter than Kubernetes' own values where a person watches.

export interface ControllerSettings {
  /** A node whose Lease is not renewed for so long is not heard from any more: its Ready condition becomes Unknown. */
  readonly nodeGraceMs: number
  /** Pods that do not say how long they tolerate such a node are evicted after this, counted from then. */
  readonly evictAfterMs: number
  /** Pods of a node that is no more are removed after this. */
  readonly orphanedPodMs: number
}

export const CONTROLLER_SETTINGS: ControllerSettings = {
  nodeGraceMs: 40_000,
  evictAfterMs: 10_000,
  orphanedPodMs: 5_000,
}
