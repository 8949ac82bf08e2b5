import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressOfKey, familyOfKey, numberOfKey, sortKey } from '#ipam/leases/records/sort-key.ts'
import { addressFromNumber, addressNumber, type Family, familyOf } from '#values/address.ts'
import { address } from '../../../support/leases.ts'

const anyAddress = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map(n => addressFromNumber('ipv4', n)),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(n => addressFromNumber('ipv6', n)),
)
const rank: Readonly<Record<Family, number>> = { ipv4: 0, ipv6: 1 }

describe('the key of an address', () => {
  test('can be read by a person', () => {
    expect(sortKey(address('10.244.1.2'))).toBe('40af40102')
    expect(sortKey(address('fd00::1'))).toBe('6fd000000000000000000000000000001')
  })

  test('is the address', () => {
    fc.assert(
      fc.property(anyAddress, one => {
        const key = sortKey(one)
        expect([addressOfKey(key), familyOfKey(key), numberOfKey(key)]).toEqual([
          one,
          familyOf(one),
          addressNumber(one),
        ])
      }),
    )
  })

  test('sorts as addresses do, IPv4 first', () => {
    fc.assert(
      fc.property(anyAddress, anyAddress, (a, b) => {
        const byFamily = rank[familyOf(a)] - rank[familyOf(b)]
        const byNumber = addressNumber(a) < addressNumber(b) ? -1 : addressNumber(a) > addressNumber(b) ? 1 : 0
        const [x, y] = [sortKey(a), sortKey(b)]
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(Math.sign(byFamily || byNumber))
      }),
    )
  })
})
