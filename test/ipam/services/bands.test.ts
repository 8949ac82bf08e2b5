import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clusterIPBands, freeIn, isInBands, isStatic, nodePortBands } from '#ipam/services/bands.ts'
import { addressFromNumber } from '#values/address.ts'
import { type Cidr, cidrFamily } from '#values/cidr.ts'

describe('the bands of a range', () => {
  test.each([
    ['10.0.0.0/28', '10.0.0.1', '10.0.0.1', '10.0.0.14'],
    ['10.0.0.0/27', '10.0.0.1', '10.0.0.17', '10.0.0.30'],
    ['10.0.0.0/24', '10.0.0.1', '10.0.0.17', '10.0.0.254'],
    ['10.0.0.0/22', '10.0.0.1', '10.0.0.65', '10.0.3.254'],
    ['10.96.0.0/20', '10.96.0.1', '10.96.1.1', '10.96.15.254'],
    ['10.96.0.0/12', '10.96.0.1', '10.96.1.1', '10.111.255.254'],
    ['fd00::/112', 'fd00::1', 'fd00::101', 'fd00::ffff'],
    ['fd00::/64', 'fd00::1', 'fd00::101', 'fd00::ffff:ffff:ffff:ffff'],
  ])('%s: %s, dynamic from %s, to %s', (cidr, ...expected) => {
    const { first, dynamicFrom, last } = clusterIPBands(cidr as Cidr)
    const family = cidrFamily(cidr as Cidr)
    expect([first, dynamicFrom, last].map(value => addressFromNumber(family, value))).toEqual(expected)
  })

  test.each([
    [30_000, 32_767, 30_086n],
    [30_000, 30_015, 30_000n],
    [30_000, 30_016, 30_016n],
    [1, 65_535, 129n],
  ])('node ports %i-%i: dynamic from %i', (first, last, dynamicFrom) => {
    expect(nodePortBands({ first, last }).dynamicFrom).toBe(dynamicFrom)
  })
})

test('one is drawn from the upper band while it has any, then from the lower; each once, until none is left', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (size, numbers) => {
        const bands = nodePortBands({ first: 1000, last: 999 + size })
        const taken = new Set<bigint>()
        let wasStatic = false
        for (let i = 0; i < size; i++) {
          const value = freeIn(
            bands,
            one => taken.has(one),
            () => numbers.next().value as number,
          )!
          expect(isInBands(bands, value)).toBe(true)
          expect(taken.has(value)).toBe(false)
          if (wasStatic) expect(isStatic(bands, value)).toBe(true)
          wasStatic ||= isStatic(bands, value)
          taken.add(value)
        }
        expect(
          freeIn(
            bands,
            one => taken.has(one),
            () => 0,
          ),
        ).toBeUndefined()
      },
    ),
    { numRuns: 30 },
  )
})
