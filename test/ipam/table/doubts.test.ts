import { describe, expect, test } from 'vitest'
import type { AddressConflict, Suspicion } from '#ipam/leases/leaks/leak-book.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import type { NetworkLeases } from '#ipam/leases/lease-view.ts'
import { doubtOf, userOf } from '#ipam/table/doubts.ts'
import { address, holder } from '../../support/leases.ts'

// What a look for leaks has found is of the leases it looked at.

const lease = (more: Partial<Lease> = {}): Lease => ({
  ...holder('a'),
  ...{ address: address('10.9.0.2'), family: 'ipv4', set: 0, boot: 'b', state: 'assigned', at: 1000, ...more },
})
const suspicion = (more: Partial<Suspicion> = {}): Suspicion => ({
  ...holder('a'),
  ...{ at: 1000, count: 1, since: 2000, last: 3000, verdict: 'suspect', why: 'not in use', ...more },
})
const used = (container: string, more: Partial<AddressConflict> = {}): AddressConflict => ({
  ...holder(container),
  ...{ address: address('10.9.0.2'), netns: '/n', namespaceId: '4:1', boot: 'b', at: 5, ...more },
})
const doubt = (one: Lease, more: Pick<NetworkLeases, 'suspicions' | 'conflicts'>) =>
  doubtOf(one, { network: 'mynet', overlap: 'refuse', sets: [], given: [], leases: [one], ...more })

describe('a lease', () => {
  test('of which nothing was found is in no doubt', () => {
    expect(doubt(lease(), {})).toBeUndefined()
    expect(doubt(lease(), { suspicions: [], conflicts: [] })).toBeUndefined()
  })

  test('that no pod was seen with is suspect, and leaked once it may be freed', () => {
    expect(doubt(lease(), { suspicions: [suspicion()] })).toEqual({ status: 'SUSPECT', reason: 'not in use' })
    expect(doubt(lease(), { suspicions: [suspicion({ verdict: 'leaked' })] })).toMatchObject({ status: 'LEAKED' })
  })

  test.each<[string, Partial<Suspicion>]>([
    ['of another interface', { ifname: 'eth1' }],
    ['of another container', { container: 'b' }],
    // Of what the same container had before.
    ['of a time before it was given', { at: 999 }],
  ])('is in no doubt because of a suspicion %s', (_, other) => {
    expect(doubt(lease(), { suspicions: [suspicion(other)] })).toBeUndefined()
  })

  test('is in doubt with each address of its attachment, of which the youngest was judged', () => {
    expect(doubt(lease({ at: 10 }), { suspicions: [suspicion()] })).toMatchObject({ status: 'SUSPECT' })
  })

  test('whose address another container uses is in conflict, before all else', () => {
    const found = { suspicions: [suspicion({ verdict: 'leaked' })], conflicts: [used('x'), used('y')] }
    expect(doubt(lease(), found)).toEqual({ status: 'CONFLICT', reason: 'also in use by container x' })
    expect(doubt(lease({ address: address('10.9.0.3') }), found)).toMatchObject({ status: 'LEAKED' })
  })

  test('is in no conflict with its own container, until it has ended', () => {
    const conflicts = [used('a', { pod: 'shop/web' })]
    expect(doubt(lease(), { conflicts })).toBeUndefined()
    expect(doubt(lease({ state: 'cooldown', until: 9 }), { conflicts, suspicions: [suspicion()] })).toEqual({
      ...{ status: 'CONFLICT', reason: 'still in use by shop/web' },
    })
    expect(doubt(lease({ state: 'cooldown', until: 9 }), { suspicions: [suspicion()] })).toBeUndefined()
  })
})

test('a user is named by its pod, or by its container as crictl abbreviates it', () => {
  expect(userOf({ container: '0123456789abcdef' })).toBe('container 0123456789abc')
  expect(userOf({ container: '0123456789abcdef', pod: 'shop/web' })).toBe('shop/web')
})
