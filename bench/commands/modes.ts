import type { BenchOptions } from '../command-line.ts'
import { OURS, Workshop } from '../contenders.ts'
import { countedTools } from '../counted-tools.ts'
import { nftablesFigures, nftablesTable } from '../load/nftables.ts'
import { oneCommitMs } from '../load/one-commit.ts'
import type { BenchMode } from '../node/task.ts'
import { type Counted, contestTable } from '../report/contest.ts'
import { inTurns } from '../rounds.ts'

// How long a cluster takes to be served, and a change to arrive, and what is given to the kernel's tools meanwhile.

const DEFAULT_SIZES = { iptables: [100, 1000, 5000], nftables: [1000, 5000, 10_000] }
const STEPS = ['start', 'changes', 'peak'] as const
/** Where tools are counted, a few changes will do. */
const COUNTED_UPDATES = 4

export async function modeBench(mode: BenchMode, options: BenchOptions): Promise<unknown> {
  const sizes = options.services.length > 0 ? options.services : DEFAULT_SIZES[mode]
  const workshop = new Workshop()
  const results: Counted[] = []
  const beside: string[] = []
  try {
    for (const services of sizes) {
      results.push(...(await contest(workshop, mode, services, options)))
      if (options.oneCommit) beside.push(await oneCommit(workshop, services, options.endpoints, results))
    }
  } finally {
    workshop.close()
  }
  console.log(contestTable(results))
  for (const line of beside) console.log(line)
  if (mode === 'iptables') return { mode, results }
  const nftFigures = await nftablesFigures(sizes)
  console.log(`\n${nftablesTable(nftFigures, results)}`)
  return { mode, results, nftFigures }
}

async function contest(
  workshop: Workshop,
  mode: BenchMode,
  services: number,
  { endpoints, peer, updates, rounds = 1 }: BenchOptions,
): Promise<readonly Counted[]> {
  const contenders = [workshop.ours(mode), ...(peer === undefined ? [] : [workshop.peer(mode, peer)])]
  const run = { mode, size: { services, endpoints }, steps: STEPS, say: console.error }
  const timed = await inTurns({ ...run, contenders, rounds, updates, path: workshop.path })
  const counted: Counted[] = []
  for (const [i, result] of timed.entries()) {
    // A run of its own: counting must not cost the timed run anything.
    const tools = countedTools(workshop.path)
    await inTurns({
      ...run,
      contenders: [contenders[i]!],
      rounds: 1,
      updates: Math.min(updates, COUNTED_UPDATES),
      path: tools.path,
    })
    counted.push({ ...result, ...tools.close() })
  }
  return counted
}

async function oneCommit(
  { program }: Workshop,
  services: number,
  endpoints: number,
  results: readonly Counted[],
): Promise<string> {
  const tookMs = await oneCommitMs({ services, endpoints }, [process.execPath, program])
  const ours = results.find(result => result.services === services && result.contender === OURS)
  const part = ((ours?.measured.firstConnectionMs?.[0] ?? Number.NaN) / tookMs).toFixed(2)
  const seconds = (tookMs / 1000).toFixed(2)
  return `${services} × ${endpoints}, the same rules in one COMMIT: ${seconds} s in the tool alone; our first connection took ${part} of that`
}
