import type { FollowedSource } from './followed.ts'

// What the container runtime asked of the pod network, and what came out.

export interface CallSource extends FollowedSource {
  /** The latest first. */
  calls(): readonly CallRecord[]
}

export interface CallRecord {
  readonly at: number
  /** `ADD`, `DEL`. */
  readonly command: string
  readonly plugin: string
  readonly network?: string
  readonly pod?: string
  readonly container?: string
  readonly ips: readonly string[]
  readonly tookMs: number
  readonly waitedMs: number
  readonly failure?: string
}
