import { expect, test } from 'vitest'
import { RANGES } from '#page/pages/ranges.ts'
import type { RangesLine, RangesOfNode, RangeUse } from '#page/views/pods.ts'
import { hostile, isInert, read, STILL, shown } from './shown.ts'

const SET: RangeUse = {
  ...{ network: 'pods', ranges: ['10.244.1.0/24', 'fd00:244:1::/64'], size: 2n ** 64n, assigned: 1200, cooling: 3 },
  free: 0n,
}
const NODE: RangesLine = { node: 'one', isThisNode: true, addresses: ['192.0.2.1'], ranges: ['10.244.1.0/24'] }

function source(more: Partial<RangesOfNode> = {}): { ranges: RangesOfNode } {
  const cluster = () => [{ name: 'Services', ranges: ['10.96.0.0/12'] }]
  return { ranges: { ...STILL, sets: () => [SET], nodes: () => [NODE], cluster, ...more } }
}

test('sets say how full they are, and nodes which range they have', async () => {
  const text = await read(RANGES, source())
  expect(text).toContain('pods 10.244.1.0/24, fd00:244:1::/64 1,200 3 0 2^64')
  expect(text).toContain('Services 10.96.0.0/12')
  expect(await read(RANGES, source({ nodes: () => [{ ...NODE, ranges: [] }] }))).toMatch(/ one .* none$/)
})

test('what cannot be read says why, and the rest stands', async () => {
  const sets = () => {
    throw new Error('the lease database is damaged')
  }
  const text = await read(RANGES, source({ sets }))
  expect(text).toContain('Sets of this node This cannot be read: the lease database is damaged. Cluster Services')
  expect(text).toContain('192.0.2.1')
})

test('no text of it becomes HTML', async () => {
  const bad = source({ sets: () => [hostile(SET)], nodes: () => [hostile(NODE)] })
  expect(isInert(await shown(RANGES, bad))).toBe(true)
})
