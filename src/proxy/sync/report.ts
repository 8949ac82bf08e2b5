import type { Mode } from '#proxy/modes/mode.ts'
import type { Family } from '#values/address.ts'
import type { ServiceChanges } from './service-changes.ts'

export type { ServicePort } from '#proxy/cluster/service-ports.ts'
export type { ServiceChanges } from './service-changes.ts'

// What one sync did, as a value: log lines, metrics, health and the page are all made from it, at the edge.

export interface Report {
  readonly mode: Mode['name']
  readonly family: Family
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly tookMs: number
  /** Where the time went, in milliseconds: drawing the rules, looking at the kernel, planning, writing, forgetting connections. */
  readonly stages: Stages
  /** Whether the kernel was read first, because memory was not trusted. */
  readonly looked: boolean
  /** Units that somebody else had changed, and that were put right; a few of many. */
  readonly drift: { readonly count: number; readonly units: readonly string[] }
  readonly units: { readonly added: number; readonly changed: number; readonly removed: number }
  /** Units that ought to be gone, but somebody else holds on to them: they stay, emptied. Told once for each. */
  readonly blocked?: readonly Blocked[]
  readonly commands: number
  readonly bytes: number
  readonly serviceChanges: ServiceChanges
  /** Connections the kernel was made to forget, and why it could not be, where it could not. */
  readonly flows: { readonly forgotten: number; readonly error?: unknown }
  /** Set where the sync failed; everything it owed is still owed. */
  readonly failure?: { readonly error: unknown; readonly retryMs: number }
}

export interface Blocked {
  readonly unit: string
  /** What holds on to it: a rule of somebody else. */
  readonly by: string
}

export interface Stages {
  readonly draw: number
  readonly read: number
  readonly plan: number
  readonly write: number
  readonly forget: number
}
