import { describe, expect, test, vi } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { systemClock } from '#system/clock.ts'

describe('the system clock', () => {
  test('says what time it is', () => {
    const before = Date.now()
    expect(systemClock.now()).toBeGreaterThanOrEqual(before)
  })

  test('does not go back, however often it is asked', () => {
    const until = performance.now() + 300
    for (let before = 0; performance.now() < until; ) {
      const now = systemClock.now()
      if (now < before) expect(now).toBeGreaterThanOrEqual(before)
      before = now
    }
  })

  test('follows where the machine sets its clock', () => {
    for (const shift of [3_600_000, -3_600_000, 0]) {
      const stopped = Date.now() + shift
      const set = vi.spyOn(Date, 'now').mockReturnValue(stopped)
      expect(systemClock.now() - stopped).toBeLessThanOrEqual(1)
      expect(systemClock.now() - stopped).toBeGreaterThanOrEqual(0)
      set.mockRestore()
    }
  })

  test('wakes after the time', async () => {
    const before = performance.now()
    await systemClock.sleep(20)
    expect(performance.now() - before).toBeGreaterThan(18)
  })

  test('wakes at once when the signal aborts, and leaves nothing with the signal', async () => {
    const controller = new AbortController()
    const long = systemClock.sleep(1_000_000, controller.signal)
    controller.abort()
    await long
    await systemClock.sleep(1_000_000, controller.signal)
  })

  test('a sleep longer than a timer can be does not end at once', async () => {
    const controller = new AbortController()
    let awake = false
    const long = systemClock.sleep(2 ** 40, controller.signal).then(() => {
      awake = true
    })
    await systemClock.sleep(10)
    expect(awake).toBe(false)
    controller.abort()
    await long
  })
})

describe('the paper clock', () => {
  test('stands still until a test moves it', async () => {
    const clock = new PaperClock(1000)
    expect(clock.now()).toBe(1000)
    await clock.advance(500)
    expect(clock.now()).toBe(1500)
  })

  test('wakes all sleepers that are due, each at its own moment, in order, those of one moment as they fell asleep', async () => {
    const clock = new PaperClock()
    const log: string[] = []
    const nap = async (name: string, ms: number) => {
      await clock.sleep(ms)
      log.push(`${name} ${clock.now()}`)
    }
    void nap('late', 30)
    void nap('early', 10)
    void nap('early too', 10)
    void nap('too late', 31)
    await clock.advance(30)
    expect(log).toEqual(['early 10', 'early too 10', 'late 30'])
    expect(clock.sleepers).toBe(1)
    await clock.advance(1)
    expect(log.at(-1)).toBe('too late 31')
  })

  test('a sleeper that sleeps again on waking is woken again within the same advance', async () => {
    const clock = new PaperClock()
    const ticks: number[] = []
    const loop = async () => {
      while (ticks.length < 5) {
        await clock.sleep(10)
        ticks.push(clock.now())
      }
    }
    const looping = loop()
    await clock.advance(35)
    expect(ticks).toEqual([10, 20, 30])
    await clock.advance(100)
    await looping
    expect(ticks).toEqual([10, 20, 30, 40, 50])
  })

  test('what follows from a waking, through many promises, has happened before the next one wakes', async () => {
    const clock = new PaperClock()
    const log: string[] = []
    void clock.sleep(10).then(async () => {
      for (let i = 0; i < 100; i++) await null
      log.push('first, after much ado')
    })
    void clock.sleep(11).then(() => log.push('second'))
    await clock.advance(11)
    expect(log).toEqual(['first, after much ado', 'second'])
  })

  test('a sleeper that falls asleep late in the same turn is not missed', async () => {
    const clock = new PaperClock()
    let woke = false
    void Promise.resolve()
      .then(() => clock.sleep(5))
      .then(() => {
        woke = true
      })
    await clock.advance(5)
    expect(woke).toBe(true)
  })

  test('a signal wakes at once, before or during the sleep', async () => {
    const clock = new PaperClock()
    const controller = new AbortController()
    const sleep = clock.sleep(1_000_000, controller.signal)
    expect(clock.sleepers).toBe(1)
    controller.abort()
    await sleep
    await clock.sleep(1_000_000, controller.signal)
    expect(clock.sleepers).toBe(0)
    expect(clock.now()).toBe(0)
  })
})
