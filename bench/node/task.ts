import type { Size } from '../cluster.ts'

// What the program on the node is asked to do, as JSON.

/** In the order of a whole run: what leaves the least behind comes first. */
export const ALL_STEPS = [
  'start',
  'changes',
  'firstEndpoints',
  'peak',
  'idle',
  'foreignRule',
  'flush',
  'restart',
  'flushEarly',
  'audit',
] as const

export type StepName = (typeof ALL_STEPS)[number]

export interface Contender {
  readonly name: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface Backend {
  readonly name: string
  readonly ip: string
}

export type BenchMode = 'iptables' | 'nftables'

export interface Task extends Size {
  readonly contender: Contender
  readonly mode: BenchMode
  readonly steps: readonly StepName[]
  /** So often each change is made. */
  readonly updates: number
  /** Two pods that answer with their names. */
  readonly backends: readonly [Backend, Backend]
  /** The namespace of a pod that connects. */
  readonly clientNamespace: string
  /** Where the contender finds its tools. */
  readonly path: string
  /** What the contender logs goes into this file. */
  readonly log: string
}
