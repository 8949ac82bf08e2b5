import type { BenchOptions } from '../command-line.ts'
import { Workshop } from '../contenders.ts'
import { ALL_STEPS } from '../node/task.ts'
import { comparison } from '../report/measurements.ts'
import { inTurns, type Result } from '../rounds.ts'

// Everything that is measured of an agent on a node, ours beside a peer's, for every mode and size.

const DEFAULT_SIZES = [1000, 10_000]

export async function table(options: BenchOptions): Promise<unknown> {
  const workshop = new Workshop()
  const all: Result[] = []
  try {
    for (const services of options.services.length > 0 ? options.services : DEFAULT_SIZES) {
      for (const mode of options.modes) {
        const contenders = [workshop.ours(mode)]
        if (options.peer !== undefined) contenders.push(workshop.peer(mode, options.peer))
        const { endpoints, updates, rounds = 1 } = options
        const rest = { steps: ALL_STEPS, rounds, updates, path: workshop.path, say: console.error }
        const results = await inTurns({ mode, size: { services, endpoints }, contenders, ...rest })
        all.push(...results)
        console.log(`${comparison(results)}\n`)
      }
    }
  } finally {
    workshop.close()
  }
  return { results: all }
}
