import { fileURLToPath } from 'node:url'
import type { PodsFigures } from './figures.ts'
import type { InsideOrder } from './inside.ts'
import { measuredInWorld } from './world.ts'

// Our helper with the daemon, the helper without it, and a folder with the reference's plugins → how long each takes, in one
// run, on a node of its own.

const INSIDE = fileURLToPath(new URL('inside.ts', import.meta.url))

export interface PodsBenchOptions {
  readonly peer: string
  readonly leases: readonly number[]
  readonly rounds: number
}

export function measurePods({ peer, leases, rounds }: PodsBenchOptions): PodsFigures {
  return measuredInWorld<PodsFigures>(peer, INSIDE, world => ({ ...world, leases, rounds }) satisfies InsideOrder)
}
