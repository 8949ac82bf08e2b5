import fc from 'fast-check'
import { expect, test } from 'vitest'
import { capacity } from '#ipam/ranges/capacity.ts'
import { addressNumber, FAMILIES } from '#values/address.ts'
import { everyAddress, setsOf, writtenSets } from './sets.ts'

test.each(FAMILIES)('each address of a set is one that a pod may get, or one that is kept for a reason: %s', family => {
  fc.assert(
    fc.property(writtenSets(family), written => {
      const sets = setsOf(...written)
      for (const [i, { total, size, reserved }] of capacity(sets).entries()) {
        const given = everyAddress(sets[i]!, sets)
        expect(size).toBe(BigInt(given.length))
        expect(total).toBe(size + BigInt(reserved.length))
        const kept = reserved.map(({ address }) => addressNumber(address))
        expect(kept.filter(number => given.includes(number))).toEqual([])
        expect(kept).toEqual(kept.toSorted((a, b) => (a < b ? -1 : 1)))
      }
    }),
  )
})

test('a subnet of one node keeps network, gateway and broadcast address where its range has them', () => {
  const whole = { subnet: '10.9.0.0/24', rangeStart: '10.9.0.0', rangeEnd: '10.9.0.255' }
  expect(capacity(setsOf([whole]))).toEqual([
    {
      ...{ total: 256n, size: 253n },
      reserved: [
        { address: '10.9.0.0', why: 'network' },
        { address: '10.9.0.1', why: 'gateway' },
        { address: '10.9.0.255', why: 'broadcast' },
      ],
    },
  ])
  expect(capacity(setsOf([{ subnet: '10.9.0.0/24' }]))).toMatchObject([{ total: 254n, size: 253n }])
})

test('the gateway of one set is no pod’s of another, and one outside of all sets costs none', () => {
  const inOther = [[{ subnet: '10.9.0.0/29', gateway: '10.9.1.3' }], [{ subnet: '10.9.1.0/29' }]] as const
  expect(capacity(setsOf(...inOther)).map(({ size }) => size)).toEqual([6n, 4n])
  expect(capacity(setsOf([{ subnet: '10.9.0.0/29', gateway: '169.254.1.1' }]))[0]).toMatchObject({
    size: 6n,
    reserved: [],
  })
})
