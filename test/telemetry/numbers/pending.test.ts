import { expect, test } from 'vitest'
import { Pending } from '#telemetry/numbers/pending.ts'

test('a change waits until every lane it is for has carried it out', () => {
  const pending = new Pending()
  pending.noticed({ kind: 'Service', name: 'shop/cart', families: ['ipv4', 'ipv6'] }, 10)
  pending.noticed({ kind: 'EndpointSlice', name: 'shop/a', families: ['ipv4'] }, 10)
  expect([pending.count('Service'), pending.count('EndpointSlice')]).toEqual([1, 1])
  pending.done('ipv4', 20)
  expect([pending.count('Service'), pending.count('EndpointSlice')]).toEqual([1, 0])
  pending.done('ipv6', 20)
  expect(pending.count('Service')).toBe(0)
})

test('what came while a sync was running waits for the next one', () => {
  const pending = new Pending()
  pending.noticed({ kind: 'EndpointSlice', name: 'shop/a', families: ['ipv4'], triggered: 1 }, 30)
  expect(pending.done('ipv4', 20)).toEqual([])
  expect(pending.done('ipv4', 30)).toEqual([1])
})

test('each change of a slice counts in how long it took, and none of a slice that is gone', () => {
  const pending = new Pending()
  const slice = { kind: 'EndpointSlice', name: 'shop/a', families: ['ipv4'] } as const
  pending.noticed({ ...slice, triggered: 1 }, 5)
  pending.noticed({ ...slice, triggered: 3 }, 6)
  expect(pending.done('ipv4', 7)).toEqual([1, 3])
  pending.noticed({ ...slice, triggered: 8 }, 9)
  pending.noticed(slice, 10)
  expect(pending.done('ipv4', 11)).toEqual([])
})
