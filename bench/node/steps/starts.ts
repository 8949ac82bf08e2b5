import { healthyAt, reached } from '../client/probe.ts'
import type { Measured } from '../figures.ts'
import { GIVE_UP_MS, type Stage } from '../stage.ts'

// Starts of the contender, on a fresh node and on one where its rules stand.

export async function start(stage: Stage): Promise<Measured> {
  const { startedAt } = stage.start()
  const first = await reached(stage.backend.name, GIVE_UP_MS)
  return { firstConnectionMs: [first === undefined ? null : first.at - startedAt] }
}

/** An endpoint moves while no process runs; the next finds its rules as the last has left them, but for that. */
export async function restart(stage: Stage): Promise<Measured> {
  await stage.stop()
  const { to } = stage.swap()
  const { startedAt } = stage.start()
  const [ready, changed] = await Promise.all([healthyAt(GIVE_UP_MS), reached(to.name, GIVE_UP_MS)])
  const { kiB } = await stage.memory.phase()
  return {
    readyMs: [ready === undefined ? null : ready - startedAt],
    restartChangeMs: [changed === undefined ? null : changed.at - startedAt],
    restartPeakMiB: [kiB / 1024],
  }
}
