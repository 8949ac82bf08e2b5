import type { FollowedSource } from './followed.ts'

// What the lanes did: the last syncs, and the last of those in which something was wrong.

export interface SyncSource extends FollowedSource {
  /** The latest first. */
  recent(): readonly SyncRecord[]
  /** Those with drift, a failure or a refusal; they outlast the others. */
  repairs(): readonly SyncRecord[]
}

export interface SyncRecord {
  readonly at: number
  readonly family: string
  readonly tookMs: number
  /** In milliseconds, in their order. */
  readonly stages: Readonly<Record<string, number>>
  readonly units: { readonly added: number; readonly changed: number; readonly removed: number }
  readonly commands: number
  readonly bytes: number
  /** The kernel was read. */
  readonly looked: boolean
  /** Service ports that changed; the names of a few. */
  readonly changed: { readonly count: number; readonly names: readonly string[] }
  readonly connectionsEnded: number
  /** Units that another program had changed; a few of many. */
  readonly drift: { readonly count: number; readonly units: readonly string[] }
  readonly refused: readonly { readonly owner: string; readonly unit: string; readonly reason: string }[]
  readonly blocked: readonly { readonly unit: string; readonly by: string }[]
  readonly failure?: { readonly reason: string; readonly retryMs: number }
}
