import { expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { Heartbeats } from '#proxy/relay/heartbeats.ts'

// Which of two workers is taken for one that hangs, on a clock that the test moves.

const RHYTHM = { everyMs: 1000, missed: 3 }

function watched() {
  const pulses = new Int32Array(new SharedArrayBuffer(8))
  const clock = new PaperClock()
  const stopped: number[] = []
  const heartbeats = new Heartbeats({ pulses, clock, rhythm: RHYTHM, stopped: index => stopped.push(index) })
  /** One look, before which these workers have beaten. */
  const look = async (...beating: readonly number[]): Promise<void> => {
    for (const index of beating) Atomics.add(pulses, index, 1)
    await clock.advance(RHYTHM.everyMs)
  }
  for (const index of [0, 1]) heartbeats.watch(index)
  return { heartbeats, stopped, look }
}

test('one whose pulse stands still at three looks in a row, and it is reported once', async () => {
  const { stopped, look } = watched()
  await look(0, 1)
  for (let i = 0; i < 2; i++) await look(1)
  expect(stopped).toEqual([])
  for (let i = 0; i < 4; i++) await look(1)
  expect(stopped).toEqual([0])
})

test('not one that misses a look now and then', async () => {
  const { stopped, look } = watched()
  for (let i = 0; i < 4; i++) {
    await look(1)
    await look(1)
    await look(0, 1)
  }
  expect(stopped).toEqual([])
})

test('a successor starts anew, and one that ended by itself is not watched', async () => {
  const { heartbeats, stopped, look } = watched()
  heartbeats.ignore(1)
  await look(0)
  for (let i = 0; i < 3; i++) await look()
  heartbeats.watch(0)
  await look(0)
  for (let i = 0; i < 2; i++) await look()
  expect(stopped).toEqual([0])
  await look()
  expect(stopped).toEqual([0, 0])
})

test('one that starts has ten times as long, up to its first pulse', async () => {
  const { stopped, look } = watched()
  for (let i = 0; i < 25; i++) await look()
  await look(1)
  for (let i = 0; i < 2; i++) await look()
  expect(stopped).toEqual([])
  await look()
  expect(stopped).toEqual([1])
  await look()
  expect(stopped).toEqual([1, 0])
})

test('nothing is looked at once the relay is closed', async () => {
  const { heartbeats, stopped, look } = watched()
  heartbeats.close()
  for (let i = 0; i < 5; i++) await look()
  expect(stopped).toEqual([])
})
