import { expect, test } from 'vitest'
import { Pulse } from '#cni/daemon/pulse.ts'
import { PaperClock } from '#lab/paper/clock.ts'

test('beats once a second for each that wants it, and no longer', async () => {
  const clock = new PaperClock()
  const pulse = new Pulse(clock)
  const beats: string[] = []
  const stopFirst = pulse.each(() => beats.push('first'))
  await clock.advance(1500)
  const stopSecond = pulse.each(() => beats.push('second'))
  await clock.advance(1000)
  stopFirst()
  await clock.advance(1000)
  stopSecond()
  await clock.advance(5000)
  expect(beats).toEqual(['first', 'first', 'second', 'second'])
  pulse.each(() => beats.push('later'))
  await clock.advance(1000)
  expect(beats.at(-1)).toBe('later')
})
