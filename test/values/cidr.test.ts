import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressFromNumber, addressNumber } from '#values/address.ts'
import { baseAddress, cidrFamily, contains, hostCidr, overlaps, parseCidr, prefixLength } from '#values/cidr.ts'
import { cidr, ip } from '../support/objects.ts'

describe('a range', () => {
  test.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['fd00::1/64', 'fd00::/64'],
    ['10.0.0.1/32', '10.0.0.1/32'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['ffff::/0', '::/0'],
  ])('%s is %s', (text, canonical) => expect(parseCidr(text)).toBe(canonical))

  test.each([
    ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
    ['::ffff:10.1.2.3/128', '10.1.2.3/32'],
    ['::ffff:10.1.2.3/96', '0.0.0.0/0'],
    ['::ffff:10.1.2.3/8', '::/8'],
    ['::ffff:10.1.2.3/95', '::fffe:0:0/95'],
  ])('mapped from IPv4 counts the bits of IPv6, as in Go: %s is %s', (text, canonical) =>
    expect(parseCidr(text)).toBe(canonical),
  )

  test.each([
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '010.0.0.0/8',
    '10.0.0.0/-1',
    '10.0.0.0/+8',
    '10.0.0.0/8.0',
    '10.0.0.0/255.0.0.0',
    '10.0.0.0/',
    '/8',
    '10.0.0.0/8/8',
    '10.0.0.0/8\n',
    ' 10.0.0.0/8',
    'fd00::/129',
    '::ffff:10.0.0.0/129',
    'fe80::1%eth0/64',
    '',
    8,
    undefined,
  ])('%j is not one', text => expect(parseCidr(text)).toBeUndefined())

  test('holds its addresses and no others', () => {
    expect(contains(cidr('10.244.0.0/16'), ip('10.244.255.255'))).toBe(true)
    expect(contains(cidr('10.244.0.0/16'), ip('10.245.0.0'))).toBe(false)
    expect(contains(cidr('fd00::/8'), ip('10.0.0.1'))).toBe(false)
    expect(overlaps(cidr('10.0.0.0/8'), cidr('10.1.0.0/16'))).toBe(true)
    expect(overlaps(cidr('10.1.0.0/16'), cidr('10.2.0.0/16'))).toBe(false)
  })

  /** A bit that no address mapped from IPv4 has: those are addresses of IPv4. */
  const MAPPED_NOWHERE = 2n ** 120n
  const RANGE = fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([at, bits]) => cidr(`${at}/${bits}`)),
    fc
      .tuple(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), fc.integer({ min: 0, max: 128 }))
      .map(([at, bits]) => cidr(`${addressFromNumber('ipv6', at | MAPPED_NOWHERE)}/${bits}`)),
  )

  test('reaches from its first address to its last, and not one further', () => {
    fc.assert(
      fc.property(RANGE, range => {
        const family = cidrFamily(range)
        const all = family === 'ipv4' ? 32 : 128
        const first = addressNumber(baseAddress(range))
        const last = first + 2n ** BigInt(all - prefixLength(range)) - 1n
        expect(parseCidr(range)).toBe(range)
        const isWithin = (value: bigint) => contains(range, addressFromNumber(family, value))
        expect([isWithin(first), isWithin(last)]).toEqual([true, true])
        if (first > 0n) expect(isWithin(first - 1n)).toBe(false)
        if (last < 2n ** BigInt(all) - 1n) expect(isWithin(last + 1n)).toBe(false)
      }),
    )
  })

  test('overlaps another where one of the two holds the first address of the other, whichever is asked', () => {
    fc.assert(
      fc.property(RANGE, RANGE, (a, b) => {
        const isShared = contains(a, baseAddress(b)) || contains(b, baseAddress(a))
        expect([overlaps(a, b), overlaps(b, a)]).toEqual([isShared, isShared])
        expect(overlaps(a, a)).toBe(true)
        expect(overlaps(a, hostCidr(baseAddress(a)))).toBe(true)
      }),
    )
  })
})
