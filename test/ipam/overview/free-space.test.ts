import fc from 'fast-check'
import { expect, test } from 'vitest'
import { freeSpace } from '#ipam/overview/free-space.ts'

test('of what is taken, free stretches are found as counting one by one finds them', () => {
  const number = fc.integer({ min: -4, max: 80 })
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9 }),
      fc.array(fc.tuple(number, number), { maxLength: 12 }),
      (first, pairs) => {
        const last = first + 63
        const taken = pairs.map(([a, b]) => ({ first: BigInt(Math.min(a, b)), last: BigInt(Math.max(a, b)) }))
        const found = freeSpace({ first: BigInt(first), last: BigInt(last) }, taken)
        const isFree = (n: number) => !taken.some(one => one.first <= BigInt(n) && BigInt(n) <= one.last)
        const free = Array.from({ length: 64 }, (_, i) => first + i).filter(isFree)
        expect([found.free, found.used]).toEqual([BigInt(free.length), BigInt(64 - free.length)])
        const isWhole = (base: number, size: number) =>
          Array.from({ length: size }, (_, i) => base + i).every(n => free.includes(n))
        const aligned = [64, 32, 16, 8, 4, 2, 1].flatMap(size =>
          free.filter(n => n % size === 0 && isWhole(n, size)).map(base => ({ base, size })),
        )
        const block = found.block && { base: Number(found.block.base), size: 2 ** found.block.bits }
        expect(block).toEqual(aligned[0])
        const longest = found.longest === undefined ? 0 : Number(found.longest.last - found.longest.first) + 1
        const runs = free.map(n => Array.from({ length: 64 }, (_, i) => i + 1).findLast(size => isWhole(n, size)) ?? 0)
        expect(longest).toBe(Math.max(0, ...runs))
      },
    ),
    { numRuns: 300 },
  )
})

test('a range of IPv6 is no slower than one of IPv4', () => {
  const { free, block } = freeSpace({ first: 1n, last: (1n << 64n) - 1n }, [{ first: 5n, last: 5n }])
  expect([free, block]).toEqual([(1n << 64n) - 2n, { base: 1n << 63n, bits: 63 }])
})
