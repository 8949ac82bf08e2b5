import { expect, test } from 'vitest'
import type { RangesReport } from '#ipam/nodes/ranges-controller.ts'
import { RangesLoop } from '#ipam/nodes/ranges-loop.ts'
import { PaperClock } from '#lab/paper/clock.ts'

const REPORT: RangesReport = {
  ...{ findings: [], counts: [], given: [], released: [], searches: [], set: [], refused: [], failed: [] },
  ...{ recordWrites: 0, conflicts: 0 },
}

function started() {
  const clock = new PaperClock()
  const stop = new AbortController()
  const seen = { rounds: [] as number[], failures: [] as number[], fails: false, during: () => {}, report: REPORT }
  const round = async (): Promise<RangesReport> => {
    seen.rounds.push(clock.now())
    seen.during()
    if (seen.fails) throw new Error('away')
    return seen.report
  }
  const loop = new RangesLoop({
    controller: { round },
    clock,
    random: () => 1,
    onReport: () => {},
    onFailure: (_, againMs) => seen.failures.push(againMs),
  })
  const ended = loop.run(stop.signal)
  return { clock, stop, loop, seen, ended }
}

test('many changes that come together are one round, and without any there is one every 30 s', async () => {
  const { clock, stop, loop, seen, ended } = started()
  await clock.advance(5000)
  for (let i = 0; i < 100; i++) {
    loop.changed()
    await clock.advance(1)
  }
  await clock.advance(35_000)
  expect(seen.rounds).toEqual([0, 5200, 35_200])
  stop.abort()
  await ended
  expect(clock.sleepers).toBe(0)
})

test('what changes while a round is under way gets a round of its own', async () => {
  const { clock, stop, loop, seen, ended } = started()
  seen.during = () => {
    if (seen.rounds.length === 2) loop.changed()
  }
  await clock.advance(30_000)
  await clock.advance(1000)
  expect(seen.rounds).toEqual([0, 30_000, 30_200])
  stop.abort()
  await ended
})

test('after failures it waits longer each time, changes or not, and is back to normal after a success', async () => {
  const { clock, stop, loop, seen, ended } = started()
  await clock.advance(1)
  seen.fails = true
  loop.changed()
  await clock.advance(200)
  for (let i = 0; i < 70; i++) {
    loop.changed()
    await clock.advance(1000)
  }
  expect(seen.failures).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  seen.fails = false
  await clock.advance(30_000)
  const count = seen.rounds.length
  await clock.advance(1000)
  loop.changed()
  await clock.advance(200)
  expect(seen.rounds.length).toBe(count + 1)
  stop.abort()
  await ended
})

test.each(['failed', 'refused'] as const)(
  'Nodes whose write has %s are tried again soon, and a change comes before that',
  async what => {
    const { clock, stop, loop, seen, ended } = started()
    const patch = { name: 'a', uid: 'u', podCIDRs: [] }
    await clock.advance(0)
    seen.report = { ...REPORT, [what]: [{ patch, why: 'away' }] }
    loop.changed()
    await clock.advance(1300)
    expect(seen.rounds).toEqual([0, 200, 1200])
    loop.changed()
    await clock.advance(300)
    seen.report = REPORT
    await clock.advance(20_000)
    expect(seen.rounds).toEqual([0, 200, 1200, 1500, 5500])
    stop.abort()
    await ended
  },
)
