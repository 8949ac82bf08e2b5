import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Size } from './cluster.ts'
import { type Measured, pooled } from './node/figures.ts'
import { onFreshNode } from './node/fresh-node.ts'
import type { BenchMode, Contender, StepName } from './node/task.ts'
import { grouped } from './report/markdown.ts'

// The one runner: contenders in turns, round by round, each time on a fresh node.

export interface RoundsOptions {
  readonly mode: BenchMode
  readonly size: Size
  readonly contenders: readonly Contender[]
  readonly steps: readonly StepName[]
  readonly rounds: number
  /** So often each change is made in each round. */
  readonly updates: number
  /** Where contenders find their tools. */
  readonly path: string
  readonly say: (sentence: string) => void
}

export interface Result extends Size {
  readonly mode: BenchMode
  readonly contender: string
  readonly argv: readonly string[]
  /** The samples of all rounds. */
  readonly measured: Measured
}

export async function inTurns(options: RoundsOptions): Promise<readonly Result[]> {
  const { mode, size, contenders, steps, updates, path, say } = options
  const logs = mkdtempSync(join(tmpdir(), 'switchyard-bench-logs-'))
  const found = new Map<Contender, Measured[]>(contenders.map(contender => [contender, []]))
  say(`${mode}, ${grouped(size.services)} × ${size.endpoints}; what the contenders log: ${logs}`)
  for (let round = 1; round <= options.rounds; round++) {
    for (const [contender, measured] of found) {
      const log = join(logs, `${contender.name}-${mode}-${size.services}-${round}.log`)
      const done = await onFreshNode({ ...size, mode, contender, steps, updates, path, log }, ({ step, measured }) =>
        say(`  round ${round}, ${contender.name}: ${step} ${JSON.stringify(measured, brief)}`),
      )
      measured.push(done)
    }
  }
  // Where something never came, their logs may say why.
  const never = [...found.values()].flat().some(measured => Object.values(measured).flat().includes(null))
  if (!never) rmSync(logs, { recursive: true })
  return [...found].map(([{ name, argv }, rounds]) => {
    return { mode, ...size, contender: name, argv, measured: pooled(rounds) }
  })
}

function brief(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}
