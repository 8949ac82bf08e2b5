import type { Sample } from '../report/statistics.ts'

// What is measured of a cluster of the lab: one sample of each a round.

export interface LabFigures {
  readonly nodes: number
  readonly pods: number
  /** Of the pods that are replaced, and that a node's death concerns. */
  readonly replicas: number
  /** So long after the last sign of a node it counts as dead. */
  readonly graceMs: number
  readonly rounds: readonly LabRound[]
}

export interface LabRound {
  /** From nothing but the built program to nodes that are all Ready. */
  readonly upMs: Sample
  /** From the Deployment of one pod and its Service to an answer. */
  readonly firstAnswerMs: Sample
  /** Until all pods are Ready, and until each of them has answered through the Service. */
  readonly podsReadyMs: Sample
  readonly podsAnswerMs: Sample
  /** With all these pods, of all processes of the cluster. */
  readonly memoryMiB: number
  readonly processes: number
  /** Until no pod of before is left, and what a client has asked meanwhile. */
  readonly updateMs: Sample
  readonly asked: number
  readonly lost: number
  /** From the death of a node until none of its endpoints is left, and until all pods are Ready on others. */
  readonly leftMs: Sample
  readonly replacedMs: Sample
}
