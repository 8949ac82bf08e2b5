import { describe, expect, test } from 'vitest'
import { WorkQueue } from '#lab/controllers/loop/work-queue.ts'
import { PaperClock } from '#lab/paper/clock.ts'

interface Opened {
  readonly clock: PaperClock
  readonly queue: WorkQueue
  readonly begun: string[]
  readonly failures: string[]
  /** Ends the work that is under way on this key. */
  finish(key: string, error?: Error): Promise<void>
}

function opened(workers = 2): Opened {
  const clock = new PaperClock()
  const begun: string[] = []
  const failures: string[] = []
  const working = new Map<string, PromiseWithResolvers<void>>()
  const queue = new WorkQueue({
    clock,
    workers,
    work: key => {
      begun.push(key)
      const work = Promise.withResolvers<void>()
      working.set(key, work)
      return work.promise
    },
    failed: (key, error, retryMs) => failures.push(`${key} ${(error as Error).message} ${retryMs}`),
  })
  const finish = async (key: string, error?: Error) => {
    const { resolve, reject } = working.get(key)!
    if (error === undefined) resolve()
    else reject(error)
    await clock.advance(0)
  }
  return { clock, queue, begun, failures, finish }
}

describe('a key', () => {
  test('that is added often before its turn is worked on once', async () => {
    const { queue, begun, clock } = opened()
    queue.add('a')
    queue.add('a')
    queue.add('b')
    await clock.advance(0)
    expect(begun).toEqual(['a', 'b'])
  })

  test('that is added while it is worked on comes again, and never twice at the same time', async () => {
    const { queue, begun, clock, finish } = opened()
    queue.add('a')
    await clock.advance(0)
    queue.add('a')
    await clock.advance(0)
    expect(begun).toEqual(['a'])
    await finish('a')
    expect(begun).toEqual(['a', 'a'])
  })

  test('that fails is tried again after ever longer, until it works', async () => {
    const { queue, begun, clock, finish, failures } = opened()
    queue.add('a')
    for (const retryMs of [20, 40, 80]) {
      await clock.advance(0)
      await finish('a', new Error('away'))
      await clock.advance(retryMs - 1)
      const before = begun.length
      await clock.advance(1)
      expect(begun.length).toBe(before + 1)
    }
    await finish('a')
    queue.add('a')
    await clock.advance(0)
    await finish('a', new Error('away'))
    expect(failures).toEqual(['a away 20', 'a away 40', 'a away 80', 'a away 20'])
  })

  test('that is held waits until it is released', async () => {
    const { queue, begun, clock } = opened()
    queue.hold('a')
    queue.add('a')
    await clock.advance(1_000)
    expect(begun).toEqual([])
    queue.release('a')
    await clock.advance(0)
    expect(begun).toEqual(['a'])
  })

  test('that is due later comes at the earliest of its times', async () => {
    const { queue, begun, clock } = opened()
    queue.addAfter('a', 500)
    queue.addAfter('a', 100)
    queue.addAfter('a', 900)
    await clock.advance(99)
    expect(begun).toEqual([])
    await clock.advance(1)
    expect(begun).toEqual(['a'])
  })
})

test('no more keys are worked on at once than there are workers', async () => {
  const { queue, begun, clock, finish } = opened(2)
  for (const key of ['a', 'b', 'c']) queue.add(key)
  await clock.advance(0)
  expect(begun).toEqual(['a', 'b'])
  await finish('a')
  expect(begun).toEqual(['a', 'b', 'c'])
})

test('a queue that is closed begins nothing more, waits for what is under way, and leaves no timer', async () => {
  const { queue, begun, clock, finish } = opened()
  queue.add('a')
  queue.addAfter('b', 100)
  await clock.advance(0)
  const closed = queue.close()
  queue.add('c')
  await finish('a')
  await closed
  await clock.advance(1_000)
  expect([begun, clock.sleepers]).toEqual([['a'], 0])
})
