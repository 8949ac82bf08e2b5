import type { ContenderName } from './contender.ts'

// What is measured of the pod network, in milliseconds, a list of samples for each.

export type PodsFigure =
  | `host-local ${'ADD' | 'DEL'} at ${number}`
  | `eight ADDs at once at ${number}`
  | `bridge ${'IPv4' | 'dual stack, masquerade'} ${'ADD' | 'CHECK' | 'DEL'}`

export type PodsSamples = Partial<Record<PodsFigure, Partial<Record<ContenderName, number[]>>>>

/** Of the daemon, with all leases there. */
export interface DaemonFigures {
  readonly leases: number
  /** From the start of the process to the first answer. */
  readonly startMs: readonly number[]
  /** After the start, and after all calls. */
  readonly startMiB: number
  readonly peakMiB: number
  /** The most, with a round in which all leases are found without their pods. */
  readonly roundMiB: number
}

export interface PodsFigures {
  readonly samples: PodsSamples
  readonly daemon: DaemonFigures
}

export function note(samples: PodsSamples, figure: PodsFigure, name: ContenderName, ms: number): void {
  samples[figure] ??= {}
  samples[figure][name] ??= []
  samples[figure][name].push(ms)
}
