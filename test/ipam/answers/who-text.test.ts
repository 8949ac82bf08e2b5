import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AddressFacts, holdersAt } from '#ipam/answers/who.ts'
import { whoText } from '#ipam/answers/who-text.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import type { NetworkLeases } from '#ipam/leases/lease-view.ts'
import type { PastLease } from '#ipam/leases/records/history-rows.ts'
import { address, holder, range, SMALL } from '../../support/leases.ts'

// What a person reads who has an address from a log, and wants to know whose it is.

const IP = address('10.9.0.2')
const NOW = Date.UTC(2026, 10, 29, 7)

function lease(more: Partial<Lease> = {}): Lease {
  return {
    ...holder('c1'),
    address: IP,
    family: 'ipv4',
    set: 0,
    boot: 'b',
    state: 'assigned',
    at: NOW - 60_000,
    ...more,
  }
}

function past(n: number, more: Partial<PastLease> = {}): PastLease {
  const { state: _, ...was } = lease({ container: `c${n}`, at: NOW - n * 1000 })
  return { ...was, ended: NOW - n * 1000 + 500, why: 'DEL', ...more }
}

function network(more: Partial<NetworkLeases> = {}): NetworkLeases {
  return { network: 'mynet', overlap: 'refuse', sets: [SMALL], given: [], leases: [], ...more }
}

const text = (more: Partial<AddressFacts> = {}) =>
  whoText({ address: IP, now: NOW, networks: [network()], holders: [], ...more }).split('\n')
const now = (...networks: readonly NetworkLeases[]) => text({ networks }).filter(line => line.startsWith('10.9.0.2'))

describe('who has an address now', () => {
  test('is said for each network that has it in its ranges, or has given it', () => {
    const apart = network({
      network: 'apart',
      overlap: 'allow',
      leases: [lease({ pod: 'shop/web', network: 'apart' })],
    })
    const other = network({ network: 'other', sets: [[range('10.8.0.0/24 10.8.0.1-10.8.0.9')]] })
    expect(now(network({ leases: [lease()] }), apart, other)).toEqual([
      '10.9.0.2: ASSIGNED in network mynet, to container c1 eth0',
      '10.9.0.2: ASSIGNED in network apart, to shop/web (container c1 eth0)',
    ])
    expect(now({ ...other, leases: [lease({ network: 'other', ifname: '' })] })).toEqual([
      '10.9.0.2: ASSIGNED in network other, outside of its ranges, to container c1',
    ])
  })

  test('is said with the reason of any doubt', () => {
    const found = { netns: '/n', namespaceId: '4:1', boot: 'b', at: 0 }
    const used = [{ ...holder('x'), ...found, address: IP, pod: 'shop/other' }]
    const suspected = [
      { ...holder('c1'), at: NOW, count: 1, since: 0, last: 0, verdict: 'leaked' as const, why: 'not in use' },
    ]
    expect(now(network({ leases: [lease()], conflicts: used }))).toEqual([
      '10.9.0.2: CONFLICT in network mynet, to container c1 eth0 (also in use by shop/other)',
    ])
    expect(now(network({ leases: [lease()], suspicions: suspected }))).toEqual([
      '10.9.0.2: LEAKED in network mynet, to container c1 eth0 (not in use)',
    ])
    expect(now(network({ conflicts: used }))).toEqual(['10.9.0.2: CONFLICT in network mynet: in use by shop/other'])
  })

  test('has only the lines of what is known of the lease', () => {
    expect(text({ networks: [network({ leases: [lease({ ifname: '', at: NOW + 5000 })] })] })).toEqual([
      '10.9.0.2: ASSIGNED in network mynet, to container c1',
      ...['  container   c1', '  since       2026-11-29T07:00:05Z, for 0s'],
    ])
    const all = text({ networks: [network({ leases: [lease({ netns: '/n', uid: 'u' })] })] })
    expect(all.slice(1).map(line => line.trim().split(/ {3,}/)[0])).toEqual([
      ...['container', 'interface', 'namespace', 'uid', 'since'],
    ])
  })

  test('is none of an address that cools down: whose it was is said, and for how long', () => {
    const cooling = (until: number) => now(network({ leases: [lease({ state: 'cooldown', until })] }))
    expect(cooling(NOW + 90_000)).toEqual([
      '10.9.0.2: COOLDOWN in network mynet, for 1m30s more, after container c1 eth0',
    ])
    expect(cooling(NOW)).toEqual(['10.9.0.2: COOLDOWN in network mynet, for 0s more, after container c1 eth0'])
  })

  test('is said where there is none: the ranges there are are named', () => {
    const six = address('fd00::1')
    const unknown = network({ network: 'imported', sets: [[], []] })
    expect(text({ address: six, networks: [network(), unknown] })).toEqual([
      'fd00::1: in no range of a network of this node (mynet 10.9.0.0/29; imported (ranges unknown))',
    ])
    expect(text({ networks: [] })).toEqual(['10.9.0.2: in no range of a network of this node (there is none)'])
  })
})

describe('who had it before', () => {
  test('is listed up to ten, the latest first, without the one who has it now', () => {
    const { ended: _, why: __, ...current } = past(0)
    const holders = [current, ...Array.from({ length: 12 }, (_, i) => past(i + 1))]
    const lines = text({ holders, historyStart: NOW - 99_000 })
    const start = lines.indexOf('Before:')
    expect(lines.slice(start + 2, -2).map(line => line.split(/ {3,}/)[3])).toEqual(
      Array.from({ length: 10 }, (_, i) => `c${i + 1}`),
    )
    expect(lines.slice(-2)).toEqual([
      'and 2 before that: -o json lists all of them',
      'what ended before 2026-11-29T06:58:21Z is no longer known',
    ])
    expect(text({ holders: [current] })).not.toContain('Before:')
  })

  test('has a mark where a name or a reason is not known', () => {
    const { why: _, ...silent } = past(1, { ifname: '' })
    expect(
      text({ holders: [silent] })
        .at(-1)!
        .split(/ {3,}/)
        .slice(2),
    ).toEqual([...['<none>', 'c1', '<none>', 'mynet', '<none>']])
  })
})

describe('who had it at a time', () => {
  test('is the one whose lease began before and ended after, each end belonging to the later', () => {
    const holders = [past(1), past(2, { pod: 'shop/web', network: 'apart' })]
    expect(text({ holders, at: NOW - 2000 })).toEqual([
      '10.9.0.2 at 2026-11-29T06:59:58Z: shop/web (container c2 eth0), in network apart from 2026-11-29T06:59:58Z to 2026-11-29T06:59:58Z (DEL)',
    ])
    expect(text({ holders, at: NOW - 1500 })).toEqual(['10.9.0.2 at 2026-11-29T06:59:58Z: no pod had it'])
  })

  test('may be one that is no longer known, where history begins later', () => {
    const at = NOW - 50_000
    expect(text({ at, historyStart: at + 1 })[0]).toMatch(/: no pod had it; what ended before .* is no longer known$/)
    expect(text({ at, historyStart: at })[0]).toMatch(/: no pod had it$/)
  })

  test('is one pod at any time, where each lease began after the one before had ended', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 6 }), fc.nat(120), (spans, at) => {
        const holders: PastLease[] = []
        let time = 0
        for (const [gap, length] of spans) {
          const began = time + gap
          time = began + length
          holders.unshift(past(holders.length, { at: began, ended: time }))
        }
        const found = holdersAt({ address: IP, now: NOW, networks: [], holders }, at)
        expect(found.length).toBeLessThanOrEqual(1)
        const expected = holders.find(one => one.at <= at && at < one.ended!)
        expect(found).toEqual(expected === undefined ? [] : [expected])
      }),
    )
  })
})
