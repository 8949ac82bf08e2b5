import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { AddressConflict } from '#ipam/leases/leaks/leak-book.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { type NetworkLeases, readLeases } from '#ipam/leases/lease-view.ts'
import { allocatable } from '#ipam/ranges/allocatable.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { type AddressRow, addressRows } from '#ipam/table/address-rows.ts'
import { freeOf } from '#ipam/table/fullness.ts'
import { rowCounts, spread } from '#ipam/table/row-counts.ts'
import { type Address, addressFromNumber, addressNumber, familyOf } from '#values/address.ts'
import { address, holder, range } from '../../support/leases.ts'
import { NETWORKS, SharedNetworks, step } from '../leases/changes/shared-networks.ts'
import { setsOf, writtenSets } from '../ranges/sets.ts'

// Each address of a network's ranges is in one row, and what the row says is what a pod would find.

function network(more: Partial<NetworkLeases> = {}): NetworkLeases {
  return { network: 'mynet', overlap: 'refuse', sets: [], given: [], leases: [], ...more }
}

function lease(ip: Address, container = `c-${ip}`, more: Partial<Lease> = {}): Lease {
  const where = { address: ip, family: familyOf(ip), set: 0 }
  return { ...holder(container), ...where, boot: 'b', state: 'assigned', at: 0, ...more }
}

function conflict(ip: string, container: string): AddressConflict {
  const at = { netns: '/run/netns/x', namespaceId: '4:1', boot: 'b', at: 0 }
  return { ...holder(container), address: address(ip), ...at }
}

const texts = (rows: readonly AddressRow[]) =>
  rows.map(({ family, first, last, status, reason, isOutside }) => {
    const ends = [...new Set([first, last])].map(n => addressFromNumber(family, n))
    return [ends.join('-'), status, reason && `(${reason})`, isOutside && 'outside'].filter(Boolean).join(' ')
  })

test('each address of the ranges is in one row, in order, and free rows are as long as can be', () => {
  const state = fc.constantFrom('free', 'free', 'assigned', 'cooldown', 'used', 'elsewhere')
  const clusters = fc.tuple(writtenSets('ipv4'), writtenSets('ipv6')).map(([four, six]) => setsOf(...four, ...six))
  fc.assert(
    fc.property(clusters, fc.array(state, { minLength: 40 }), (sets, states) => {
      const every = sets.flat().flatMap(({ start, end }) => {
        const [first, last] = [addressNumber(start), addressNumber(end)]
        return Array.from({ length: Number(last - first) + 1 }, (_, i) =>
          addressFromNumber(familyOf(start), first + BigInt(i)),
        )
      })
      const of = (wanted: string) => every.filter((_, i) => states[i % states.length] === wanted)
      const mine = network({
        sets,
        leases: [
          ...of('assigned').map(ip => lease(ip)),
          ...of('cooldown').map(ip => lease(ip, 'x', { state: 'cooldown', until: 9 })),
        ],
        conflicts: of('used').map(ip => conflict(ip, 'y')),
      })
      const other = network({ network: 'other', leases: of('elsewhere').map(ip => lease(ip)) })
      const rows = addressRows(mine, [mine, other])
      const listed = spread(rows, 'all').map(({ family, first }) => addressFromNumber(family, first))
      const inOrder = (a: Address, b: Address) =>
        familyOf(a) === familyOf(b) ? (addressNumber(a) < addressNumber(b) ? -1 : 1) : familyOf(a) === 'ipv4' ? -1 : 1
      expect(listed).toEqual(every.toSorted(inOrder))
      const { ASSIGNED, COOLDOWN, CONFLICT, FREE, outside } = rowCounts(rows)
      expect([ASSIGNED, COOLDOWN, CONFLICT, outside]).toEqual([
        ...['assigned', 'cooldown', 'used'].map(one => BigInt(of(one).length)),
        0,
      ])
      const given = allocatable(sets).flat()
      const free = of('free').filter(ip =>
        given.some(
          span => span.family === familyOf(ip) && span.first <= addressNumber(ip) && addressNumber(ip) <= span.last,
        ),
      )
      expect(FREE).toBe(BigInt(free.length))
    }),
    { numRuns: 100 },
  )
})

describe('what the table says is free', () => {
  const node = new SharedNetworks()
  afterAll(() => node.end())

  test('is what STATUS counts, and what pods get', () => {
    const steps = fc.array(step, { maxLength: 25, size: 'max' })
    fc.assert(
      fc.property(steps, fc.constantFrom(...NETWORKS), (before, name) => {
        let free = -1n
        node.walk(() => {
          for (const one of before) node.go(one)
          // What a network is, its last pod says.
          if (node.take(name, 'last').length > 0) free = freeOf(node.usage(name))
        })
        if (free < 0n) return
        const networks = readLeases(node.path, node.now)!
        const own = networks.find(one => one.network === name)!
        expect(rowCounts(addressRows(own, networks)).FREE).toBe(free)
      }),
      { numRuns: 150 },
    )
  })
})

describe('of several reasons the first counts', () => {
  const SETS: readonly RangeSet[] = [[range('10.9.0.0/29 10.9.0.1-10.9.0.6')]]

  test('what is held is held, be it the gateway, in use without a lease, or held elsewhere, too', () => {
    const mine = network({
      sets: SETS,
      leases: ['10.9.0.1', '10.9.0.2', '10.9.0.3'].map(ip => lease(address(ip))),
      conflicts: [conflict('10.9.0.2', 'c-10.9.0.2'), conflict('10.9.0.4', 'x')],
    })
    const elsewhere = ['10.9.0.3', '10.9.0.4', '10.9.0.5'].map(ip => lease(address(ip)))
    const gateway = [[range('10.9.0.0/24 10.9.0.9-10.9.0.9', '10.9.0.5')]] as const
    const other = network({ network: 'other', sets: gateway, leases: elsewhere })
    expect(texts(addressRows(mine, [mine, other]))).toEqual([
      ...['10.9.0.1 ASSIGNED', '10.9.0.2 ASSIGNED', '10.9.0.3 ASSIGNED'],
      '10.9.0.4 CONFLICT (in use by container x)',
      '10.9.0.5 RESERVED (network other)',
      '10.9.0.6 FREE',
    ])
  })

  test('what pods of another network use without a lease is free for no pod of this one', () => {
    const other = network({ network: 'other', conflicts: [{ ...conflict('10.9.0.3', 'x'), pod: 'shop/web' }] })
    const mine = network({ sets: SETS })
    expect(texts(addressRows(mine, [mine, other]))).toEqual([
      ...['10.9.0.1 RESERVED (gateway)', '10.9.0.2 FREE', '10.9.0.3 RESERVED (in use by shop/web of network other)'],
      '10.9.0.4-10.9.0.6 FREE',
    ])
    const apart = network({ sets: SETS, overlap: 'allow' })
    expect(texts(addressRows(apart, [apart, other]))).toEqual(['10.9.0.1 RESERVED (gateway)', '10.9.0.2-10.9.0.6 FREE'])
  })

  test('what lies outside of the ranges stays in sight where it is held, and where no range is known it is not outside', () => {
    const leases = [lease(address('10.8.0.9')), lease(address('10.9.0.3')), lease(address('fd00::9'))]
    expect(texts(addressRows(network({ sets: SETS, leases }), []))).toEqual([
      ...['10.8.0.9 ASSIGNED outside', '10.9.0.1 RESERVED (gateway)', '10.9.0.2 FREE', '10.9.0.3 ASSIGNED'],
      ...['10.9.0.4-10.9.0.6 FREE', 'fd00::9 ASSIGNED outside'],
    ])
    expect(texts(addressRows(network({ leases }), []))).toEqual(
      ['10.8.0.9', '10.9.0.3', 'fd00::9'].map(ip => `${ip} ASSIGNED`),
    )
    expect(addressRows(network({ sets: [[], []] }), [])).toEqual([])
  })
})

test('a range to the very last address ends there', () => {
  const sets = [[range('255.255.255.0/24 255.255.255.253-255.255.255.255')]] as const
  expect(texts(addressRows(network({ sets }), []))).toEqual([
    ...['255.255.255.253-255.255.255.254 FREE', '255.255.255.255 RESERVED (broadcast address)'],
  ])
  const six = [
    [range('ffff:ffff:ffff:ffff::/64 ffff:ffff:ffff:ffff::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')],
  ] as const
  expect(texts(addressRows(network({ sets: six }), []))).toEqual([
    'ffff:ffff:ffff:ffff:: RESERVED (network address)',
    'ffff:ffff:ffff:ffff::1 RESERVED (gateway)',
    'ffff:ffff:ffff:ffff::2-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff FREE',
  ])
})
