import type { KubeProxyNumbers, Mode } from '#proxy/modes/mode.ts'
import type { Family } from '#values/address.ts'
import type { Refused } from './refusals/isolation.ts'
import type { ServiceChanges } from './service-changes.ts'

export type { ServicePort } from '#proxy/cluster/service-ports.ts'
export type { ServiceChanges } from './service-changes.ts'

// One sync as a value: log lines, metrics, health and Events are all made from it, at the edge.

export interface Report {
  readonly mode: Mode['name']
  /** The numbers that kube-proxy keeps of such a mode. */
  readonly numbers: KubeProxyNumbers
  readonly family: Family
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly tookMs: number
  /** Milliseconds: drawing the rules, reading the kernel, planning, writing, deleting conntrack entries. */
  readonly stages: Stages
  /** True where the kernel was read, by this sync or by an audit since the last one. */
  readonly looked: boolean
  /** Parts of the ruleset that another program had touched, and that this sync read or wrote again. */
  readonly doubted: number
  /** Units that another program had changed, and that this sync restored; a few of many. */
  readonly drift: { readonly count: number; readonly units: readonly string[] }
  readonly units: { readonly added: number; readonly changed: number; readonly removed: number }
  /** Units that should be deleted, but foreign rules jump to them: they stay, emptied. Each is reported once. */
  readonly blocked?: readonly Blocked[]
  /** Owners whose rules the kernel refuses, while all others are written. Each is reported once. */
  readonly refused?: readonly Refused[]
  readonly commands: number
  readonly bytes: number
  readonly serviceChanges: ServiceChanges
  /** Conntrack entries that were deleted, or the error because of which they are still pending. */
  readonly flows: FlowReport
  /** Set where the sync failed; all it had to do is still pending. */
  readonly failure?: { readonly error: unknown; readonly retryMs: number }
}

export interface FlowReport {
  /** The kernel was asked for its connections: some might have been stale. */
  readonly isAsked: boolean
  readonly forgotten: number
  readonly error?: unknown
}

export interface Blocked {
  readonly unit: string
  /** The foreign rule that jumps to it. */
  readonly by: string
}

export interface Stages {
  readonly draw: number
  readonly read: number
  readonly plan: number
  readonly write: number
  readonly forget: number
}
