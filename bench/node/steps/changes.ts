import { systemClock } from '#system/clock.ts'
import type { Sample } from '../../report/statistics.ts'
import { lostAmong, steadyEnd } from '../client/attempts.ts'
import { reached } from '../client/probe.ts'
import type { Measured } from '../figures.ts'
import { GIVE_UP_MS, type Stage } from '../stage.ts'

// Endpoints come and go.

/** After a start a second sync may follow, and a change would wait for its end. */
const SETTLE_MS = 3000
/** After the first answer of the new endpoint: long enough to see an answer of the old one that comes later. */
const AFTERWARDS_MS = 200
/** A client goes on for so long before a change, and after it has arrived. */
const STEADY_MS = 150

/** The one endpoint of a Service makes way for another. */
export async function changes(stage: Stage): Promise<Measured> {
  const [comes, goes]: [Sample[], Sample[]] = [[], []]
  await systemClock.sleep(SETTLE_MS)
  for (let i = 0; i < stage.task.updates; i++) {
    await stage.quiet()
    const { to, at } = stage.swap()
    const change = await reached(to.name, GIVE_UP_MS, AFTERWARDS_MS)
    comes.push(change === undefined ? null : change.at - at)
    goes.push(change === undefined ? null : Math.max(0, (change.lastOther ?? at) - at))
  }
  return { endpointComesMs: comes, endpointGoesMs: goes, cpuMs: [stage.process.cpuMs()] }
}

/** The first endpoint of a Service comes, and the last goes, before the eyes of a client. */
export async function firstEndpoints(stage: Stage): Promise<Measured> {
  const { backend } = stage
  const [coming, going]: [Arrival[], Arrival[]] = [[], []]
  const times = Math.ceil(stage.task.updates / 2)
  for (let i = 0; i < times; i++) {
    going.push(await watched(stage, () => stage.serve(undefined), 'ECONNREFUSED'))
    coming.push(await watched(stage, () => stage.serve(backend), 'answered'))
  }
  await stage.quiet()
  return {
    firstEndpointMs: coming.map(({ ms }) => ms),
    lastEndpointMs: going.map(({ ms }) => ms),
    lostComing: coming.map(({ count }) => count),
    lostComingMs: coming.map(({ longestMs }) => longestMs),
    lostGoing: going.map(({ count }) => count),
    lostGoingMs: going.map(({ longestMs }) => longestMs),
  }
}

interface Arrival {
  /** From the change to the first connection that was answered, or the last. */
  readonly ms: Sample
  readonly count: number
  readonly longestMs: number
}

async function watched(stage: Stage, change: () => number, wanted: 'answered' | 'ECONNREFUSED'): Promise<Arrival> {
  await stage.quiet()
  stage.client.go()
  await systemClock.sleep(STEADY_MS)
  const at = change()
  const arrived = await stage.client.until(attempts => steadyEnd(attempts, STEADY_MS) === wanted, GIVE_UP_MS)
  const attempts = await stage.client.rest()
  const answered = attempts.filter(({ end }) => end === 'answered')
  const edge = wanted === 'answered' ? answered.find(attempt => attempt.at >= at) : answered.at(-1)
  const ms = arrived === 'given up' || edge === undefined ? null : Math.max(0, edge.at - at)
  return { ms, ...lostAmong(attempts) }
}
