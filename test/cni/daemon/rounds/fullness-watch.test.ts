import { expect, test } from 'vitest'
import { watchFullness } from '#cni/daemon/rounds/fullness-watch.ts'
import type { RegisteredUsage } from '#ipam/leases/changes/usage.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { captureLog } from '../../../support/captured-log.ts'
import { range } from '../../../support/leases.ts'

const RANGES = [range('10.9.1.0/24 10.9.1.1-10.9.1.101')] as const

function usage(assigned: number, cooling = 0): RegisteredUsage {
  const counts = { size: 100n, assigned, cooling, elsewhere: 0, oldest: [] }
  return { network: 'mynet', set: 0, ranges: RANGES, overlap: 'refuse', usage: counts }
}

/** One look after the other. */
async function watched(...looks: readonly (RegisteredUsage | Error)[]): Promise<readonly string[]> {
  return (await watching(...looks)).lines
}

async function watching(...looks: readonly (RegisteredUsage | Error)[]) {
  const crossed: string[] = []
  const [clock, stop, log, left] = [new PaperClock(), new AbortController(), captureLog(0), [...looks]]
  const watch = watchFullness({
    usages: async () => {
      const next = left.length > 1 ? left.shift()! : left[0]!
      if (next instanceof Error) throw next
      return [next]
    },
    clock,
    log: log.log,
    crossed: ({ network, set }, level, found) => crossed.push(`${network} ${set} ${level} ${found}`),
    signal: stop.signal,
  })
  await clock.advance(looks.length * 10_000)
  stop.abort()
  await watch
  return { lines: log.lines, crossed }
}

const at = (full: string, used: number, cooling: number, free: number) =>
  `network="mynet" set=0 range="10.9.1.1-10.9.1.101" full="${full}" used=${used} cooling=${cooling} free="${free}"`
const LOOK = 'look="switchyard ipam ls --network mynet"'

test('a set that runs full is reported before and when it is, and when it has room again: once each', async () => {
  const used = [10, 89, 90, 95, 90, 100, 100, 99, 94, 90, 86, 84, 50]
  expect(await watched(...used.map(count => usage(count)))).toEqual([
    `"Range set is nearly full" ${at('90%', 90, 0, 10)} ${LOOK}`,
    `"Range set is full" ${at('100%', 100, 0, 0)} next="new pods get no address" ${LOOK}`,
    `"Range set is nearly full" ${at('94%', 94, 0, 6)} ${LOOK}`,
    `"Range set has room again" ${at('84%', 84, 0, 16)}`,
  ])
})

test('what cools down cannot be given, so it counts', async () => {
  expect(await watched(usage(60, 40))).toEqual([
    `"Range set is full" ${at('100%', 60, 40, 0)} next="new pods get no address" ${LOOK}`,
  ])
})

test('a database that cannot be read is reported once', async () => {
  const lines = await watched(new Error('it is damaged'), new Error('it is damaged'), usage(1))
  expect(lines).toEqual([expect.stringMatching(/^"Addresses could not be counted" err="it is damaged"/)])
})

test('each crossing is reported once, and apart from what is found at the first look that succeeds', async () => {
  const later = [10, 95, 93, 100, 99, 94, 80].map(count => usage(count))
  expect((await watching(...later)).crossed).toEqual(['near', 'full', 'near', 'roomy'].map(l => `mynet 0 ${l} later`))
  const start = [new Error('not yet'), usage(95), usage(96), usage(10)]
  expect((await watching(...start)).crossed).toEqual(['mynet 0 near at-start', 'mynet 0 roomy later'])
})
