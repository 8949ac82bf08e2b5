import fc from 'fast-check'
import { expect, test } from 'vitest'
import { donorOf } from '#ipam/ring/donors.ts'
import { emptyRing } from '#ipam/ring/ring.ts'
import { anyPeer, anyRing, FIRST, ownerOfEach, peer, RANGE, ringOf } from './rings.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i / count)

test('each peer is asked as often as it owns addresses, of those that were not asked yet', () => {
  fc.assert(
    fc.property(anyRing, anyPeer, fc.subarray(['a', 'b', 'c', 'd']), (ring, asking, except) => {
      const names = ownerOfEach(ring).map(({ owner }) => owner.name)
      const eligible = names.filter(name => name !== asking.name && !except.includes(name))
      const found = numbers(eligible.length).map(number =>
        donorOf(ring, { peer: asking, except, random: () => number }),
      )
      expect(found.toSorted()).toEqual(eligible.toSorted())
      const none = donorOf(ring, { peer: asking, except, random: () => 0 })
      expect(none === undefined).toBe(eligible.length === 0)
    }),
  )
})

test('a node never asks itself, nor what it was before it was made anew', () => {
  const ring = ringOf(
    [],
    { ...peer('d'), start: FIRST, epoch: 1 },
    { ...peer('d', 'u-d2'), start: FIRST + 4, epoch: 1 },
  )
  expect(donorOf(ring, { peer: peer('d', 'u-d2'), except: [], random: () => 0.5 })).toBeUndefined()
  expect(donorOf(emptyRing(RANGE), { peer: peer('a'), except: [], random: () => 0 })).toBeUndefined()
})
