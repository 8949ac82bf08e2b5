import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { systemClock } from '#system/clock.ts'
import type { Sample } from '../../report/statistics.ts'
import { outageMs, steadyEnd } from '../client/attempts.ts'
import { type Disturbance, EMPTY, FLUSH, FOREIGN_RULE } from '../client/disturbances.ts'
import { reached } from '../client/probe.ts'
import { dayTime } from '../day-time.ts'
import type { Measured } from '../figures.ts'
import { GIVE_UP_MS as START_GIVE_UP_MS, type Stage } from '../stage.ts'

// Another program touches the rules: how long clients are without an answer.

/** kube-proxy looks every 30 s, and does not see everything. */
const GIVE_UP_MS = 60_000
const STEADY_MS = 150
/** After the first sync of a process: what listens for changes may not have begun to. */
const EARLY_MS = 600

export async function foreignRule(stage: Stage): Promise<Measured> {
  return { foreignRuleMs: [await outage(stage, FOREIGN_RULE[stage.task.mode])] }
}

export async function flush(stage: Stage): Promise<Measured> {
  await stage.quiet()
  return { flushMs: [await outage(stage, FLUSH[stage.task.mode])] }
}

/** A process on an empty node has just written its first rules. */
export async function flushEarly(stage: Stage): Promise<Measured> {
  await stage.stop()
  await run(EMPTY, stage.task.path)
  stage.start()
  await reached(stage.backend.name, START_GIVE_UP_MS)
  await systemClock.sleep(EARLY_MS - STEADY_MS)
  return { flushEarlyMs: [await outage(stage, FLUSH[stage.task.mode])] }
}

async function outage(stage: Stage, { does, undo }: Disturbance): Promise<Sample> {
  stage.client.go()
  await systemClock.sleep(STEADY_MS)
  const before = dayTime()
  await run(does, stage.task.path)
  const done = dayTime()
  const ended = await stage.client.until(attempts => {
    const since = attempts.filter(({ at }) => at >= done)
    return steadyEnd(since, STEADY_MS) === 'answered'
  }, GIVE_UP_MS)
  const attempts = (await stage.client.rest()).filter(({ at }) => at >= before)
  if (ended === 'so it is') return outageMs(attempts)
  // It may have gone in this moment.
  if (undo !== undefined) await run(undo, stage.task.path).catch(() => {})
  await stage.mend()
  return null
}

/** Not in this thread: the API server goes on answering meanwhile. */
async function run([program, ...words]: Disturbance['does'], path: string): Promise<void> {
  await promisify(execFile)(program, words, { env: { ...process.env, PATH: path } })
}
