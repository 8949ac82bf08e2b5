import { expect, test } from 'vitest'
import type { Silent } from '#kubernetes/watch/failures.ts'
import { Silence } from '#kubernetes/watch/silence.ts'
import { PaperClock } from '#lab/paper/clock.ts'

function listening(limitMs = 1000) {
  const clock = new PaperClock()
  const over: Silent[] = []
  const silence = new Silence(clock, limitMs, error => over.push(error))
  return { clock, over, silence }
}

test('nothing heard for the limit, and a quarter of it at most, is silence', async () => {
  const { clock, over, silence } = listening()
  await clock.advance(600)
  silence.expect('no answer', 1000)
  await clock.advance(1000)
  expect(over).toEqual([])
  await clock.advance(250)
  expect(over.map(({ message }) => message)).toEqual(['no answer for 1 s'])
})

test('a connection that is heard in time is not silent', async () => {
  const { clock, over, silence } = listening()
  for (let i = 0; i < 10; i++) {
    silence.expect('no answer', 1000)
    await clock.advance(990)
    silence.heard()
  }
  expect(over).toEqual([])
})

test('while no request waits, nothing is counted: applying an event may take its time', async () => {
  const { clock, over, silence } = listening()
  silence.expect('no answer', 1000)
  silence.heard()
  await clock.advance(60_000)
  expect(over).toEqual([])
})

test('the limit may change on the way', async () => {
  const { clock, over, silence } = listening(1000)
  silence.expect('no answer', 1000)
  await clock.advance(900)
  silence.expect('no event and no bookmark', 4000)
  await clock.advance(4000)
  expect(over).toEqual([])
  await clock.advance(1000)
  expect(over.map(({ message }) => message)).toEqual(['no event and no bookmark for 4 s'])
})

test('a clock that is set back changes nothing', async () => {
  const { clock, over, silence } = listening()
  const times = [5_000_000, 0]
  Object.assign(clock, { now: () => times.shift() ?? 0 })
  silence.expect('no answer', 1000)
  await PaperClock.prototype.advance.call(clock, 1250)
  expect(over).toHaveLength(1)
})

test('at the end nothing is left behind', async () => {
  const { clock, over, silence } = listening()
  silence.expect('no answer', 1000)
  await silence.end()
  expect(clock.sleepers).toBe(0)
  await clock.advance(5000)
  expect(over).toEqual([])
})
