import { expect, test } from 'vitest'
import { FIRST_WORKER, LIMIT, USED } from '#proxy/relay/messages.ts'
import { Budget } from '#proxy/relay/worker/budget.ts'

test('workers take from one budget, to the last descriptor and no further', () => {
  const descriptors = new Int32Array(new SharedArrayBuffer(4 * (FIRST_WORKER + 2)))
  descriptors[LIMIT] = 5
  const [a, b] = [0, 1].map(
    index => new Budget({ index, shared: { descriptors, turns: descriptors, pulses: descriptors } }),
  ) as [Budget, Budget]
  expect([a.take(2), b.take(2), a.take(2), b.take(1), a.take(1)]).toEqual([true, true, false, true, false])
  expect([...descriptors]).toEqual([5, 5, 2, 3])
  expect([a.takeRefused(), a.takeRefused(), b.takeRefused()]).toEqual([2, 0, 0])
  b.give(3)
  expect(descriptors[USED]).toBe(2)
  expect(a.take(3)).toBe(true)
})
