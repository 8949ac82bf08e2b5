import type { Sample } from '../report/statistics.ts'

// The names of everything that is measured on a node, with its unit.

export interface Figures {
  /** From the start of the process. */
  firstConnectionMs: readonly Sample[]
  /** From the change of a slice: the first connection that the new endpoint answered, the last that the old one did. */
  endpointComesMs: readonly Sample[]
  endpointGoesMs: readonly Sample[]
  /** The same where a Service had no endpoint before, or has none after. */
  firstEndpointMs: readonly Sample[]
  lastEndpointMs: readonly Sample[]
  /** Connections that were neither answered nor refused, or refused between two that were answered; one sample a change. */
  lostComing: readonly Sample[]
  lostGoing: readonly Sample[]
  /** The longest time without an end for any of them. */
  lostComingMs: readonly Sample[]
  lostGoingMs: readonly Sample[]
  /** RSS of the agent and of all its children together. */
  peakMiB: readonly Sample[]
  restartPeakMiB: readonly Sample[]
  auditPeakMiB: readonly Sample[]
  /** From the start of the process until now, with all children. */
  cpuMs: readonly Sample[]
  /** Of one core. */
  idlePercent: readonly Sample[]
  idleChildren: readonly Sample[]
  auditCpuMs: readonly Sample[]
  auditChildren: readonly Sample[]
  /** How long clients were without an answer. */
  foreignRuleMs: readonly Sample[]
  flushEarlyMs: readonly Sample[]
  flushMs: readonly Sample[]
  /** A start with rules standing, from the start of the process. */
  readyMs: readonly Sample[]
  restartChangeMs: readonly Sample[]
}

export type FigureName = keyof Figures
export type Measured = Partial<Figures>

/** All samples of several rounds. */
export function pooled(rounds: readonly Measured[]): Measured {
  const all: Record<string, readonly Sample[]> = {}
  for (const round of rounds) {
    for (const [name, samples] of Object.entries(round)) all[name] = [...(all[name] ?? []), ...samples]
  }
  return all
}
