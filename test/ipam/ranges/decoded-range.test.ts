import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodedRange } from '#ipam/ranges/decoded-range.ts'
import { ADDRESS_BITS, type Address, addressFromNumber, addressNumber, FAMILIES, type Family } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, prefixLength, prefixOf } from '#values/cidr.ts'

const decoded = (value: unknown) => decodedRange(value, 'at', 0)
const problems = (value: unknown) => {
  const found = decoded(value)
  return found.ok ? [] : found.problems
}

/** Of any length there is; addresses in it by their distance from its base. */
function anySubnet(family: Family): fc.Arbitrary<Cidr> {
  return fc
    .tuple(
      fc.bigInt({ min: 0n, max: (1n << BigInt(ADDRESS_BITS[family])) - 1n }),
      fc.integer({ min: 0, max: ADDRESS_BITS[family] }),
    )
    .map(([number, bits]) => prefixOf(addressFromNumber(family, number), bits))
    .filter(subnet => cidrFamily(subnet) === family)
}

const sizeOf = (subnet: Cidr) => 1n << BigInt(ADDRESS_BITS[cidrFamily(subnet)] - prefixLength(subnet))
const inside = (subnet: Cidr, at: bigint): Address =>
  addressFromNumber(cidrFamily(subnet), addressNumber(baseAddress(subnet)) + at)

describe.each(FAMILIES)('a subnet of %s', family => {
  const longest = family === 'ipv4' ? 30 : 126

  test('has the range of all its hosts, the first of which is the gateway, or is refused as too small', () => {
    fc.assert(
      fc.property(anySubnet(family), subnet => {
        const found = decoded({ subnet })
        if (prefixLength(subnet) > longest) {
          expect(problems({ subnet })[0]!.text).toContain(`Network ${subnet} too small to allocate from`)
          return
        }
        fc.pre(family === 'ipv4' || prefixLength(subnet) > 80)
        const last = sizeOf(subnet) - (family === 'ipv4' ? 2n : 1n)
        const first = inside(subnet, 1n)
        expect(found).toEqual({ ok: true, range: { subnet, start: first, end: inside(subnet, last), gateway: first } })
      }),
    )
  })

  test('has any part of it for a range, its ends included, and none the other way round', () => {
    const base = family === 'ipv4' ? '10.9.8.64/27' : 'fd00:9::/123'
    const subnet = base as Cidr
    fc.assert(
      fc.property(fc.bigInt(0n, 31n), fc.bigInt(0n, 31n), (one, other) => {
        const [rangeStart, rangeEnd] = [inside(subnet, one), inside(subnet, other)]
        const found = decoded({ subnet, rangeStart, rangeEnd })
        if (one <= other) expect(found).toMatchObject({ ok: true, range: { start: rangeStart, end: rangeEnd } })
        else expect(problems({ subnet, rangeStart, rangeEnd }).map(({ path }) => path)).toEqual(['at.rangeStart'])
      }),
    )
  })

  test('with ends outside is refused at each of them, and what is said to be right is', () => {
    const subnet = (family === 'ipv4' ? '10.9.8.64/27' : 'fd00:9::/123') as Cidr
    const value = { subnet, rangeStart: inside(subnet, -1n), rangeEnd: inside(subnet, 32n) }
    const found = problems(value)
    expect(found.map(({ path, value }) => [path, value])).toEqual([
      ['at.rangeStart', value.rangeStart],
      ['at.rangeEnd', value.rangeEnd],
    ])
    const [, rangeStart, rangeEnd] = /from (\S+) to (\S+)$/.exec(found[0]!.hint)!
    expect(decoded({ subnet, rangeStart, rangeEnd }).ok).toBe(true)
  })
})

describe('what is said to be right', () => {
  test.each<[object]>([
    [{}],
    [{ subnet: '10.0.0.5/24' }],
    [{ subnet: 'fd00::5/64' }],
    [{ subnet: 'nonsense' }],
    [{ subnet: 7 }],
    [{ subnet: '::/64' }],
    [{ subnet: '::/0' }],
  ])('of %j is right', value => {
    const [problem] = problems(value)
    const text = /"(\d[^"]+|[0-9a-f:]+\/\d+)"$/.exec(problem!.hint)![1]
    expect(decoded({ subnet: text })).toMatchObject({ ok: true, range: { subnet: text } })
  })

  test('of a subnet that is too small is a length that is not', () => {
    for (const address of ['10.0.0.0', 'fd00::']) {
      const [problem] = problems({ subnet: `${address}/${address.includes(':') ? 128 : 32}` })
      const length = /write \/(\d+) or shorter/.exec(problem!.hint)![1]
      expect(decoded({ subnet: `${address}/${length}` }).ok).toBe(true)
    }
  })
})

test.each([null, undefined, 'text', 5, [], [{ subnet: '10.0.0.0/24' }]])('%j is no range', value => {
  expect(problems(value)).toMatchObject([{ path: 'at', text: 'at is not a range' }])
})

test('IPv6 addresses that are IPv4 addresses for every program are in no range, however far it reaches', () => {
  for (const subnet of ['::/64', '::/0', '::/80', '::fffe:0:0/95'])
    expect(problems({ subnet })[0]!.text).toContain('has IPv4 addresses inside')
  for (const subnet of ['::1:0:0:0/96', '::/81']) expect(decoded({ subnet }).ok).toBe(true)
})

test('all that is wrong with one range is said at once, and a gateway may be anywhere in its family', () => {
  const value = { subnet: '10.0.0.0/24', rangeStart: 'x', rangeEnd: 5, gateway: 'fd00::1' }
  expect(problems(value).map(({ path, text }) => `${path}: ${text}`)).toEqual([
    'at.rangeStart: invalid IP address: x',
    'at.rangeEnd: invalid IP address: 5',
    'at.gateway: at.gateway is not an IPv4 address',
  ])
  expect(decoded({ subnet: '10.0.0.0/24', gateway: '169.254.1.1' })).toMatchObject({
    range: { gateway: '169.254.1.1' },
  })
})
