import type { FollowedSource } from './followed.ts'

// Whether this node is served as it should be.

export interface HealthSource extends FollowedSource {
  health(): HealthView
}

export interface HealthView {
  readonly checks: readonly HealthCheckView[]
  /** A table of the parts that run: lanes, watches. */
  readonly watches: readonly WatchView[]
  readonly lanes: readonly LaneView[]
  readonly facts: readonly { readonly name: string; readonly value: string }[]
  /** Sentences about what an operator should look at. */
  readonly troubles: readonly string[]
}

export interface HealthCheckView {
  readonly name: string
  readonly isGood: boolean
  /** `ready`, `silent`: what it is, in a word. */
  readonly word: string
  readonly says: string
}

export interface LaneView {
  readonly family: string
  readonly isHealthy: boolean
  readonly lastSyncAt?: number
  readonly units: number
  readonly servicePorts: number
  readonly refused: number
}

export interface WatchView {
  readonly kind: string
  readonly isSynced: boolean
  readonly objects: number
  readonly heardAt?: number
  readonly failures: number
}
