import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundsOf, emptyRing, faultsOf, isSame, ownerOf, type Ring, rangesOf } from '#ipam/ring/ring.ts'
import type { Cidr } from '#values/cidr.ts'
import { ADDRESSES, anyRing, END, FIRST, ownerOfEach, PEERS, peer, RANGE, ringOf } from './rings.ts'

describe('who owns what', () => {
  test('each address has one owner, in whose ranges alone it is, in its epoch', () => {
    fc.assert(
      fc.property(anyRing, ring => {
        const all = PEERS.flatMap(one => rangesOf(ring, one).map(range => ({ ...range, owner: one })))
        const holding = (address: number) => all.filter(({ start, end }) => start <= address && address < end)
        const found = ADDRESSES.map(address => holding(address).map(({ owner, epoch }) => ({ owner, epoch })))
        expect(found).toEqual(ownerOfEach(ring).map(one => [one]))
        expect(ADDRESSES.map(address => isSame(ownerOf(ring, address)!, holding(address)[0]!.owner))).not.toContain(
          false,
        )
      }),
    )
  })

  test('ranges are as few as can be: two that touch differ in their epoch', () => {
    fc.assert(
      fc.property(anyRing, fc.constantFrom(...PEERS), (ring, one) => {
        const ranges = rangesOf(ring, one)
        for (const [i, { start, epoch }] of ranges.slice(1).entries())
          expect(ranges[i]!.end < start || ranges[i]!.epoch !== epoch).toBe(true)
      }),
    )
  })

  test('no one owns what lies outside, nor anything before the first division', () => {
    const ring = ringOf([], { ...peer('a'), start: FIRST, epoch: 1 })
    expect([FIRST - 1, END].map(address => ownerOf(ring, address))).toEqual([undefined, undefined])
    expect([ownerOf(emptyRing(RANGE), FIRST), rangesOf(emptyRing(RANGE), peer('a'))]).toEqual([undefined, []])
  })

  test('a node that was made anew under its name owns nothing of the one before', () => {
    const ring = ringOf([], { ...peer('d'), start: FIRST, epoch: 1 })
    expect([rangesOf(ring, peer('d', 'u-d2')), rangesOf(ring, peer('d', ''))]).toEqual([[], []])
  })

  test.each([
    ['0.0.0.0/0', 0, 2 ** 32],
    ['255.255.255.252/30', 2 ** 32 - 4, 2 ** 32],
    ['128.0.0.0/1', 2 ** 31, 2 ** 32],
  ])('%s goes from %d up to %d: addresses above the middle are no negative numbers', (range, start, end) => {
    expect(boundsOf(range as Cidr)).toEqual({ start, end })
  })
})

describe('a ring is damaged', () => {
  const two = (first: Partial<Ring['tokens'][0]>, second: Partial<Ring['tokens'][0]> = {}): Ring =>
    ringOf(
      [],
      { ...peer('a'), start: FIRST, epoch: 1, ...first },
      { ...peer('b'), start: FIRST + 8, epoch: 1, ...second },
    )

  test.each<[string, Ring, string]>([
    [
      'its first addresses are of no peer',
      two({ start: FIRST + 1 }),
      'the first token is at 10.32.0.1, not at the start',
    ],
    ['a token is in front of the range', two({ start: FIRST - 1 }), '10.31.255.255 of a is not in 10.32.0.0/28'],
    ['a token is behind the range', two({}, { start: END }), '10.32.0.16 of b is not in 10.32.0.0/28'],
    ['two tokens are at one address', two({}, { start: FIRST }), 'the token of b at 10.32.0.0 is not behind that of a'],
    ['an epoch is none', two({}, { epoch: 0 }), 'the token of b at 10.32.0.8 has no epoch'],
  ])('where %s', (_, ring, fault) => {
    expect(faultsOf(ring).join('\n')).toContain(fault)
  })

  test('never by being cut, however it is; and always where two of its tokens change places', () => {
    fc.assert(
      fc.property(anyRing, fc.nat(), (ring, nat) => {
        expect(faultsOf(ring)).toEqual([])
        if (ring.tokens.length < 2) return
        const at = nat % (ring.tokens.length - 1)
        const tokens = [...ring.tokens]
        tokens.splice(at, 2, tokens[at + 1]!, tokens[at]!)
        expect(faultsOf({ ...ring, tokens })).not.toEqual([])
      }),
    )
  })

  test('not by having no token yet', () => {
    expect(faultsOf(emptyRing(RANGE))).toEqual([])
  })
})
