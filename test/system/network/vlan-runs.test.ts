import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LinkVlan } from '#system/network/network.ts'
import { vlanRuns } from '#system/network/vlan-runs.ts'

const vlans = fc.uniqueArray(
  fc.record({ id: fc.integer({ min: 1, max: 40 }), isUntagged: fc.boolean(), isPvid: fc.boolean() }),
  { selector: ({ id }) => id },
)

test('runs hold every VLAN once, in order, and none besides', () => {
  fc.assert(
    fc.property(vlans, list => {
      const expanded = vlanRuns(list).flatMap(({ first, last, isUntagged, isPvid }): LinkVlan[] =>
        Array.from({ length: last - first + 1 }, (_, i) => ({ id: first + i, isUntagged, isPvid })),
      )
      expect(expanded).toEqual(list.toSorted((a, b) => a.id - b.id))
    }),
  )
})

test('neighbours of one kind are one run, and a PVID stands by itself', () => {
  const plain = { isUntagged: false, isPvid: false }
  const trunk = Array.from({ length: 4094 }, (_, i) => ({ id: i + 1, ...plain }))
  expect(vlanRuns(trunk)).toEqual([{ first: 1, last: 4094, ...plain }])
  const pvid = { isUntagged: true, isPvid: true }
  expect(
    vlanRuns([
      { id: 5, ...pvid },
      { id: 6, ...pvid },
    ]),
  ).toHaveLength(2)
})
