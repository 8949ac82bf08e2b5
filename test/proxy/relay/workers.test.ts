import { afterEach, describe, expect, test } from 'vitest'
import { RHYTHM } from '#proxy/relay/heartbeats.ts'
import { FIRST_WORKER, type Order } from '#proxy/relay/messages.ts'
import { Workers } from '#proxy/relay/workers.ts'
import { systemClock } from '#system/clock.ts'
import { until } from './loopback.ts'

// Worker threads that do what they are ordered to, and what becomes of those that end.

const order = (key: string): Order => ({ do: 'close', key })

describe('workers', { timeout: 30_000 }, () => {
  let workers: Workers
  let said: string[]
  afterEach(() => workers.close())

  function begin(size: number, catchUp: readonly string[] = [], rhythm = RHYTHM): void {
    said = []
    const numbers = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length))
    const shared = { turns: numbers(1), pulses: numbers(size), descriptors: numbers(FIRST_WORKER + size) }
    workers = new Workers({
      size,
      program: new URL('ordered-worker.ts', import.meta.url),
      start: { udpIdleMs: 1, shared },
      ...{ clock: systemClock, rhythm },
      catchUp: () => catchUp.map(order),
      hear: (event, from) => said.push(`${from}: ${'key' in event ? event.key : event.say}`),
      crashed: (index, { message }) => said.push(`${index} crashed: ${message}`),
      hung: index => said.push(`${index} hung`),
      replaced: (index, notOpened) => said.push(`${index} replaced${notOpened.map(({ key }) => `, ${key}`).join('')}`),
    })
  }

  test('carry out orders all together, and what none of them could do comes back from each', async () => {
    begin(2)
    expect(workers.size).toBe(2)
    expect(await workers.ask([])).toEqual([])
    expect(await workers.ask([order('a')])).toEqual([])
    expect([...(await workers.ask([order('no a'), order('b')]))].sort((a, b) => (a.why < b.why ? -1 : 1))).toEqual([
      { key: 'no a', why: 'worker 0' },
      { key: 'no a', why: 'worker 1' },
    ])
  })

  test('answer each question apart, however many are asked at once', async () => {
    begin(1)
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => workers.ask([order(`no ${i}`)])))
    expect(answers.map(([one]) => one!.key)).toEqual(Array.from({ length: 20 }, (_, i) => `no ${i}`))
  })

  test('hear what one of them has to say to the others', async () => {
    begin(3)
    workers.share({ say: 'sticky', key: 'a', stickyClient: { client: 'c', endpoint: 'e', at: 0 } }, 1)
    await until(() => said.length === 2)
    expect(said.toSorted()).toEqual(['0: 0 heard a', '2: 2 heard a'])
  })

  test.each([
    ['crash', 'crashed: as ordered'],
    ['leave', 'crashed: it ended without an error'],
    ['hang', 'hung'],
  ])('that %s hold up no question, and have a successor that catches up', async (how, becomes) => {
    begin(2, ['a', 'no b'], how === 'hang' ? { everyMs: 20, missed: 50 } : RHYTHM)
    await workers.ask([order(`${how} 1`)])
    await until(() => said.length === 2)
    expect(said).toEqual([`1 ${becomes}`, '1 replaced, no b'])
    expect([workers.size, await workers.ask([order('a')])]).toEqual([2, []])
  })

  test('that are closed have no successors', async () => {
    begin(2)
    await workers.close()
    expect([workers.size, said]).toEqual([0, []])
    expect(await workers.ask([order('a')])).toEqual([])
  })
})
