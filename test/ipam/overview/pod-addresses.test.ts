import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PodAddresses } from '#ipam/overview/pod-addresses.ts'
import { type Address, addressFromNumber, type Family } from '#values/address.ts'
import { ip } from './facts.ts'

const BASE = { ipv4: 0x0af40000n, ipv6: 0xfd00n << 112n } as const

test('pods are found in every range as counting them one by one finds them', () => {
  const family = fc.constantFrom<Family>('ipv4', 'ipv6')
  const pod = fc.tuple(family, fc.bigInt({ min: 0n, max: 40n }))
  fc.assert(
    fc.property(fc.array(pod, { maxLength: 20 }), family, fc.tuple(fc.nat(40), fc.nat(40)), (pods, of, [a, b]) => {
      const addresses = pods.map(([family, n]) => addressFromNumber(family, BASE[family] + n))
      const [first, last] = [Math.min(a, b), Math.max(a, b)].map(n => BASE[of] + BigInt(n)) as [bigint, bigint]
      const space = new PodAddresses(addresses).spaceIn({ first, last }, of)!
      // Two pods may be said to have one address: for a moment, while one ends.
      const inside = new Set(pods.flatMap(([family, n]) => (family === of ? [BASE[of] + n] : [])))
      const used = [...inside].filter(n => first <= n && n <= last).length
      expect([space.used, space.free]).toEqual([BigInt(used), last - first + 1n - BigInt(used)])
    }),
  )
})

test('the same numbers in the other family are other addresses', () => {
  const pods = new PodAddresses([ip('0.0.0.7'), ip('::9')])
  const range = { first: 0n, last: 15n }
  expect([pods.spaceIn(range, 'ipv4')?.longest, pods.spaceIn(range, 'ipv6')?.longest]).toEqual([
    { first: 8n, last: 15n },
    { first: 0n, last: 8n },
  ])
})

test('where pods are not known, nothing is, and where there are none, all is free', () => {
  const range = { first: 0n, last: (1n << 64n) - 1n }
  expect(new PodAddresses(undefined).spaceIn(range, 'ipv6')).toBeUndefined()
  expect(new PodAddresses([] as readonly Address[]).spaceIn(range, 'ipv6')).toMatchObject({ used: 0n, free: 1n << 64n })
})
