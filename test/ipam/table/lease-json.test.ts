import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Lease } from '#ipam/leases/lease-book.ts'
import type { NetworkLeases } from '#ipam/leases/lease-view.ts'
import { leaseJson } from '#ipam/table/lease-json.ts'
import { addressFromNumber, familyOf } from '#values/address.ts'
import { address, holder, range, SMALL } from '../../support/leases.ts'

// The table for programs: what a script adds up is what the counts say.

function lease(ip: string, more: Partial<Lease> = {}): Lease {
  const where = { address: address(ip), family: familyOf(address(ip)), set: 0 }
  return { ...holder('c-blue'), ...where, boot: 'b', state: 'assigned', at: Date.UTC(2026, 10, 28, 12), ...more }
}

function network(more: Partial<NetworkLeases> = {}): NetworkLeases {
  return { network: 'mynet', overlap: 'refuse', sets: [SMALL], given: [], leases: [], ...more }
}

const json = (networks: readonly NetworkLeases[], options: Partial<Parameters<typeof leaseJson>[1]> = {}) =>
  JSON.parse(leaseJson(networks, { free: 'short', ...options })).networks

test('it has the same rows as the table, with all that is known', () => {
  const sets = [[range('fd00::/64 fd00::1-fd00::ffff:ffff:ffff:ffff')]] as const
  const details = { pod: 'default/blue', uid: 'u-1', netns: '/run/netns/blue', namespaceId: '4:1' }
  expect(json([network({ sets, leases: [lease('fd00::2', details)] })])).toEqual([
    {
      ...{ name: 'mynet', overlap: 'refuse', ranges: sets },
      counts: {
        ...{ assigned: 1, leaked: 0, suspect: 0, conflict: 0, cooldown: 0, reserved: 1, outside: 0 },
        free: '18446744073709551613',
      },
      addresses: [
        { ip: 'fd00::1', status: 'RESERVED', reason: 'gateway' },
        {
          ...{ ip: 'fd00::2', status: 'ASSIGNED', pod: 'default/blue', uid: 'u-1', container: 'c-blue' },
          ...{ ifname: 'eth0', netns: '/run/netns/blue', namespaceId: '4:1', boot: 'b', set: 0 },
          since: '2026-11-28T12:00:00.000Z',
        },
        { first: 'fd00::3', last: 'fd00::ffff:ffff:ffff:ffff', count: '18446744073709551613', status: 'FREE' },
      ],
    },
  ])
})

test('what is not known of a lease is left out, and not empty', () => {
  const [{ addresses }] = json([network({ leases: [lease('10.8.0.2', { ifname: '', boot: '' })] })])
  expect(addresses[0]).toEqual({
    ...{ ip: '10.8.0.2', status: 'ASSIGNED', outside: true, container: 'c-blue', set: 0 },
    since: '2026-11-28T12:00:00.000Z',
  })
})

test('a number of addresses is a number as long as a program can add it up, and text beyond', () => {
  // 2 ** 53 - 1 is the largest number a double holds with every digit.
  const size = (last: string) => json([network({ sets: [[range(`fd00::/64 fd00::2-${last}`)]] })])[0].counts.free
  expect(size('fd00::20:0:0:0')).toBe(Number.MAX_SAFE_INTEGER)
  expect(size('fd00::20:0:0:1')).toBe('9007199254740992')
})

test('the counts are those of the addresses, whichever way free ones are shown', () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 12 })
  fc.assert(
    fc.property(numbers, fc.constantFrom('short' as const, 'all' as const), (held, free) => {
      const leases = held.map((n, i) => {
        const ip = addressFromNumber('ipv4', 0x0a090000n + BigInt(n))
        return lease(ip, i % 3 === 0 ? { state: 'cooldown', until: 9 } : {})
      })
      const sets = [[range('10.9.0.0/27 10.9.0.1-10.9.0.30')]] as const
      const [{ counts, addresses }] = json([network({ sets, leases })], { free })
      const sum = (status: string) =>
        addresses
          .filter((row: { status: string }) => row.status === status)
          .reduce((total: number, { count = 1 }: { count?: number }) => total + count, 0)
      const { outside, ...all } = counts
      expect(all).toEqual(Object.fromEntries(Object.keys(all).map(status => [status, sum(status.toUpperCase())])))
      expect(outside).toBe(addresses.filter((row: { outside?: true }) => row.outside).length)
    }),
  )
})

test('a network that is asked for by name stands alone, and one that is not there is no row', () => {
  const [mine, other] = [network(), network({ network: 'other', overlap: 'allow', sets: [] })]
  expect(json([mine, other]).map(({ name }: { name: string }) => name)).toEqual(['mynet', 'other'])
  expect(json([mine, other], { network: 'other' })).toMatchObject([{ name: 'other', overlap: 'allow', addresses: [] }])
  expect(json([mine, other], { network: 'absent' })).toEqual([])
})
