import { beforeEach, describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { Pace } from '#proxy/sync/pace.ts'

const LIMITS = { minMs: 1000, retryMs: 10_000, distrustMs: 3_600_000, unwatchedMs: 30_000 }

let clock: PaperClock
let pace: Pace

beforeEach(() => {
  clock = new PaperClock()
  pace = new Pace(clock, LIMITS)
})

/** When the next run is due, and why, as the clock goes on for as long as that. */
async function next(withinMs: number, kernel: 'watched' | 'unwatched' = 'watched'): Promise<string | undefined> {
  const [stop, started] = [new AbortController(), clock.now()]
  let due: string | undefined
  const waiting = pace.due(stop.signal, kernel).then(reason => {
    if (!stop.signal.aborted) due = `${reason} after ${clock.now() - started}`
  })
  await clock.advance(withinMs)
  stop.abort()
  await waiting
  return due
}

describe('a request', () => {
  test('after a quiet time runs at once, and many are one', async () => {
    pace.request()
    pace.request()
    expect(await next(0)).toBe('requested after 0')
    expect(await next(60_000)).toBeUndefined()
  })

  test('soon after a run waits until the minimum has passed since its end', async () => {
    pace.succeeded()
    pace.request()
    expect(await next(999)).toBeUndefined()
    pace.succeeded()
    pace.request()
    expect(await next(5000)).toBe('requested after 1000')
  })

  test('that comes while nothing is due wakes the wait', async () => {
    const waiting = pace.due(new AbortController().signal, 'watched')
    await clock.advance(5000)
    pace.request()
    expect(await waiting).toBe('requested')
    expect(clock.now()).toBe(5000)
  })

  test('for later runs then, and one that comes before takes its place', async () => {
    pace.requestIn(7000)
    pace.requestIn(9000)
    expect(await next(20_000)).toBe('requested after 7000')
    pace.requestIn(7000)
    pace.request()
    expect(await next(0)).toBe('requested after 0')
    expect(await next(20_000)).toBeUndefined()
  })
})

describe('a failure', () => {
  test('is tried again after a second, then ever later up to the limit', () => {
    expect(Array.from({ length: 6 }, () => pace.failed())).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000])
  })

  test('asks for the retry by itself, and a request meanwhile does not bring it forward', async () => {
    pace.failed()
    pace.failed()
    pace.request()
    expect(await next(10_000)).toBe('requested after 2000')
  })

  test('is forgotten with the next success', () => {
    pace.failed()
    pace.failed()
    pace.succeeded()
    expect(pace.failed()).toBe(1000)
  })
})

describe('a repair', () => {
  test('does not wait for the minimum', async () => {
    pace.succeeded()
    pace.repairAt(250)
    expect(await next(5000)).toBe('requested after 250')
  })

  test('brings a request forward that waits for the minimum', async () => {
    pace.succeeded()
    pace.request()
    pace.repairAt(300)
    expect(await next(5000)).toBe('requested after 300')
  })

  test('after a failure waits as any other', async () => {
    pace.failed()
    pace.repairAt(10)
    expect(await next(5000)).toBe('requested after 1000')
  })
})

describe('a kernel that was not read for long is read', () => {
  test.each([
    ['watched', LIMITS.distrustMs],
    ['unwatched', LIMITS.unwatchedMs],
  ] as const)('where it is %s, after %s ms', async (kernel, ms) => {
    expect(await next(ms + 1, kernel)).toBe(`distrust after ${ms}`)
  })

  test('counted from when it was read last', async () => {
    await clock.advance(20_000)
    pace.kernelRead()
    expect(await next(40_000, 'unwatched')).toBe('distrust after 30000')
  })

  test('and is not due again at once where it could not be read', async () => {
    expect(await next(40_000, 'unwatched')).toBe('distrust after 30000')
    expect(await next(20_000, 'unwatched')).toBe('distrust after 20000')
  })
})

test('an end of the agent ends the wait', async () => {
  const stop = new AbortController()
  pace.failed()
  const waiting = pace.due(stop.signal, 'watched')
  await clock.advance(10)
  stop.abort()
  await waiting
  expect(clock.now()).toBe(10)
  expect(clock.sleepers).toBe(0)
})
