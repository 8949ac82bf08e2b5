import { expect, test } from 'vitest'
import { followingGeneration } from '#system/netlink/ruleset-watch.ts'

test('generations have 32 bits and leave out 0', () => {
  expect([1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1].map(followingGeneration)).toEqual([2, 2 ** 31 + 1, 2 ** 32 - 1, 1])
})
