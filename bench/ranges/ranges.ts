import { Workshop } from '../contenders.ts'
import type { RangesFigures } from './figures.ts'
import { measureController } from './node-ranges.ts'
import { measureRing } from './ring.ts'

// Ranges across a cluster: the controller of Node objects, and the ring.

export interface RangesBenchOptions {
  readonly nodes: number
  readonly rounds: number
}

export async function measureRanges({ nodes, rounds }: RangesBenchOptions): Promise<RangesFigures> {
  const workshop = new Workshop()
  try {
    return { controller: await measureController(workshop, nodes, rounds), ring: await measureRing(nodes) }
  } finally {
    workshop.close()
  }
}
