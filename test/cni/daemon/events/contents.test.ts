import { describe, expect, test } from 'vitest'
import { conflictContents, leaksContent, levelContent } from '#cni/daemon/events/contents.ts'
import type { FoundConflict } from '#cni/leaks/conflicts.ts'
import type { RegisteredUsage } from '#ipam/leases/changes/usage.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { address, range } from '../../../support/leases.ts'

describe('the level of a range set', () => {
  const usage = (elsewhere: number): RegisteredUsage => {
    const ranges = [range('10.9.1.0/24 10.9.1.1-10.9.1.101')] as const
    const counts = { size: 100n, assigned: 90, cooling: 2, elsewhere, oldest: [] }
    return { network: 'mynet', set: 1, ranges, overlap: 'refuse', usage: counts }
  }

  test('is said with what other networks use only where they do', () => {
    expect(levelContent(usage(0), 'near', 'later').note).not.toContain('elsewhere')
    expect(levelContent(usage(5), 'near', 'later').note).toContain(
      'Range set 1 of network mynet (10.9.1.1-10.9.1.101) is nearly full: 97%, 90 used, 2 cooling down, 5 used elsewhere, 3 free of 100',
    )
  })

  test.each([
    ['near', 'Warning', 'AddressesNearlyExhausted'],
    ['full', 'Warning', 'AddressesExhausted'],
    ['roomy', 'Normal', 'AddressesAvailable'],
  ] as const)('%s is a %s', (level, type, reason) => {
    expect(levelContent(usage(0), level, 'later')).toMatchObject({ type, reason, action: 'Count' })
  })

  test('that a daemon finds as it starts is the same as before; each later one is its own', () => {
    expect(levelContent(usage(0), 'full', 'at-start').sameAs).toBe('mynet 1')
    expect(levelContent(usage(0), 'full', 'later')).not.toHaveProperty('sameAs')
  })
})

describe('leaks', () => {
  const leak = (container: string, pod?: string) => ({
    holder: { network: 'mynet', container, ifname: 'eth0' },
    leases: ['10.9.0.2', 'fd00:9::2'].map(one => ({ address: address(one), pod })) as unknown as [Lease],
  })

  test('are named by pod, or by container where none is known, with all their addresses', () => {
    const some = [leak('c1', 'shop/a'), leak('c2')]
    expect(leaksContent('found', { network: 'mynet', count: 2, some })).toEqual({
      ...{ type: 'Warning', reason: 'LeakedAddressesFound', action: 'FindLeaks' },
      note: 'Nothing uses 2 attachments of network mynet any more: 10.9.0.2 and fd00:9::2 (shop/a), 10.9.0.2 and fd00:9::2 (container c2); switchyard ipam gc --free takes back the addresses',
    })
    expect(leaksContent('freed', { network: 'mynet', count: 1, some: some.slice(0, 1) })).toEqual({
      ...{ type: 'Normal', reason: 'LeakedAddressesFreed', action: 'FreeLeaks' },
      note: 'Took back the addresses of 1 attachment of network mynet that nothing used any more: 10.9.0.2 and fd00:9::2 (shop/a)',
    })
  })

  test('that are not named are counted', () => {
    expect(leaksContent('found', { network: 'mynet', count: 3, some: [leak('c1')] }).note).toContain('c1), and 2 more;')
  })
})

describe('an address in use without a lease', () => {
  const conflict = (more: object = {}) =>
    ({ address: '10.9.0.2', network: 'mynet', container: 'c1', ifname: 'eth0', ...more }) as unknown as FoundConflict
  const about = (more: object) => conflictContents(conflict(more)).map(({ pod }) => pod)

  test('where no pod is known is about the node', () => {
    expect(conflictContents(conflict())).toEqual([
      {
        ...{ type: 'Warning', reason: 'AddressConflict', action: 'FindConflicts' },
        note: 'container c1 uses 10.9.0.2 on eth0 without a lease of network mynet; it is given to no pod while it is in use',
      },
    ])
  })

  test('is about each of the two pods, and once about one that is both', () => {
    const [a, b] = [
      { name: 'shop/a', uid: 'u-a' },
      { name: 'shop/b', uid: 'u-b' },
    ]
    const leasedTo = { pod: b.name, uid: b.uid, container: 'c2' }
    expect(about({ pod: a.name, uid: a.uid, leasedTo })).toEqual([a, b])
    expect(about({ pod: a.name, uid: a.uid, leasedTo: { ...leasedTo, pod: a.name } })).toEqual([a])
    expect(about({ leasedTo })).toEqual([b])
  })

  test('of a runtime whose pods have no namespace is about the node', () => {
    expect(about({ pod: 'web', leasedTo: { container: 'c2' } })).toEqual([undefined])
    const [{ note } = { note: '' }] = conflictContents(conflict({ pod: 'web', leasedTo: { container: 'c2' } }))
    expect(note).toBe('web uses 10.9.0.2 on eth0 without a lease of network mynet; it is leased to container c2')
  })
})
