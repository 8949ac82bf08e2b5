import { describe, expect, test } from 'vitest'
import type { Lease } from '#ipam/leases/lease-book.ts'
import type { NetworkLeases } from '#ipam/leases/lease-view.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { leaseTable, type TableOptions } from '#ipam/table/lease-table.ts'
import { familyOf } from '#values/address.ts'
import { address, holder, range } from '../../support/leases.ts'

const NOW = Date.parse('2026-11-29T06:00:00Z')

function lease(ip: string, pod: string, more: Partial<Lease> = {}): Lease {
  const at = Date.parse('2026-11-28T12:34:56.789Z')
  const where = { address: address(ip), family: familyOf(address(ip)), set: 0 }
  return { ...holder(`c-${pod}`), pod: `default/${pod}`, ...where, boot: 'b', state: 'assigned', at, ...more }
}

interface NetworkOptions extends Partial<NetworkLeases> {
  readonly sets?: readonly RangeSet[]
}

function network({ sets = [[range('10.244.1.0/24 10.244.1.1-10.244.1.254')]], ...more }: NetworkOptions = {}) {
  return { network: 'mynet', overlap: 'refuse', sets, given: [], leases: [], ...more } as const
}

function table(networks: readonly NetworkLeases[], options: Partial<TableOptions> = {}): readonly string[] {
  return leaseTable(networks, { shape: 'narrow', free: 'short', now: NOW, ...options }).split('\n')
}

describe('the table of leases', () => {
  test('is the list that introductions show, with every status there is', () => {
    const leases = [
      lease('10.244.1.2', 'blue'),
      lease('10.244.1.3', 'green'),
      lease('10.244.1.5', 'red', { state: 'cooldown', until: NOW + 22_500 }),
      lease('10.244.1.9', 'pink'),
    ]
    expect(table([network({ leases })])).toEqual([
      '# mynet (10.244.1.0/24): 3 assigned, 1 cooling down, 1 reserved, 249 free',
      'IP                         STATUS           POD',
      '10.244.1.1                 RESERVED         <gateway>',
      '10.244.1.2                 ASSIGNED         default/blue',
      '10.244.1.3                 ASSIGNED         default/green',
      '10.244.1.4                 FREE             <none>',
      '10.244.1.5                 COOLDOWN (23s)   default/red',
      '10.244.1.6                 FREE             <none>',
      '10.244.1.7                 FREE             <none>',
      '10.244.1.8                 FREE             <none>',
      '10.244.1.9                 ASSIGNED         default/pink',
      '10.244.1.10-10.244.1.254   FREE (245)       <none>',
    ])
  })

  test('lists every free address where all are asked for, but not those of a /64', () => {
    const small = network({ sets: [[range('10.9.0.0/28 10.9.0.1-10.9.0.14')]] })
    expect(table([small], { free: 'all' })).toHaveLength(2 + 14)
    const wide = network({ sets: [[range('fd00::/64 fd00::1-fd00::ffff:ffff:ffff:ffff')]] })
    expect(table([wide], { free: 'all' }).slice(-1)).toEqual([
      'fd00::2-fd00::ffff:ffff:ffff:ffff   FREE (18446744073709551614)   <none>',
    ])
  })

  test('says of a wide row which container, interface and namespace, and since when', () => {
    const details = { netns: '/run/netns/blue', uid: 'u-1', state: 'cooldown', until: NOW + 60_000 } as const
    const lines = table([network({ leases: [lease('10.244.1.2', 'blue', details)] })], { shape: 'wide' })
    expect(lines[1]!.split(/ {3,}/)).toEqual('IP STATUS POD CONTAINER IFNAME NETNS SINCE UNTIL UID'.split(' '))
    expect(lines[3]!.split(/ {3,}/)).toEqual([
      ...['10.244.1.2', 'COOLDOWN (1m0s)', 'default/blue', 'c-blue', 'eth0', '/run/netns/blue'],
      ...['2026-11-28T12:34:56Z', '2026-11-29T06:01:00Z', 'u-1'],
    ])
  })

  test('has IPv4 and IPv6 sets of a network in one table, and network and broadcast addresses are reserved', () => {
    const sets = [[range('fd00:9::/125 fd00:9::1-fd00:9::7')], [range('10.9.0.0/29 10.9.0.0-10.9.0.7')]] as const
    const lines = table([network({ sets, leases: [lease('fd00:9::2', 'blue', { set: 0 })] })])
    expect(lines.map(line => line.replaceAll(/ {3,}/g, ' | '))).toEqual([
      '# mynet (fd00:9::/125, 10.9.0.0/29): 1 assigned, 0 cooling down, 4 reserved, 10 free',
      'IP | STATUS | POD',
      '10.9.0.0 | RESERVED | <network address>',
      '10.9.0.1 | RESERVED | <gateway>',
      '10.9.0.2-10.9.0.6 | FREE (5) | <none>',
      '10.9.0.7 | RESERVED | <broadcast address>',
      'fd00:9::1 | RESERVED | <gateway>',
      'fd00:9::2 | ASSIGNED | default/blue',
      'fd00:9::3-fd00:9::7 | FREE (5) | <none>',
    ])
  })

  test('shows what other networks hold of the same range, unless the network is apart', () => {
    const other = network({
      network: 'other',
      sets: [[range('10.244.1.0/24 10.244.1.1-10.244.1.254', '10.244.1.9')]],
      leases: [lease('10.244.1.3', 'there', { network: 'other' })],
    })
    const [mine, apart] = [network(), network({ network: 'apart', overlap: 'allow' })]
    const rows = table([mine, other, apart], { network: 'mynet' })
    expect(rows[0]).toBe('# mynet (10.244.1.0/24): 0 assigned, 0 cooling down, 3 reserved, 251 free')
    expect(rows.filter(line => line.includes('RESERVED')).map(line => line.replaceAll(/ {3,}/g, ' | '))).toEqual([
      '10.244.1.1 | RESERVED | <gateway>',
      '10.244.1.3 | RESERVED | <network other>',
      '10.244.1.9 | RESERVED | <gateway of network other>',
    ])
    expect(table([mine, other, apart], { network: 'apart' })[0]).toBe(
      '# apart (10.244.1.0/24, apart from other networks): 0 assigned, 0 cooling down, 1 reserved, 253 free',
    )
  })

  test('keeps in sight what lies outside of the ranges, and who holds it where no pod is known', () => {
    const { pod: _pod, ...nameless } = lease('10.0.0.7', 'x', { container: '0123456789abcdef' })
    const lines = table([
      network({ leases: [nameless] }),
      network({ network: 'unknown', sets: [], leases: [nameless] }),
    ])
    expect(lines[0]).toContain('253 free, 1 outside of its ranges')
    expect(lines[2]).toMatch(/^10\.0\.0\.7 +ASSIGNED +<container 0123456789abc> <outside of the ranges>$/)
    expect(lines.find(line => line.startsWith('# unknown'))).toBe(
      '# unknown (ranges unknown): 1 assigned, 0 cooling down, 0 reserved, 0 free',
    )
  })

  test('marks leases that no pod uses, and addresses that pods use without a lease', () => {
    const seen = { network: 'mynet', ifname: 'eth0', count: 3, since: 0, last: 0, why: 'not in use' }
    const used = { network: 'mynet', ifname: 'eth0', netns: '/run/netns/x', namespaceId: '4:1', boot: 'b', at: 0 }
    const gone = { state: 'cooldown', until: NOW + 60_000 } as const
    const lines = table([
      network({
        leases: [
          lease('10.244.1.2', 'a'),
          lease('10.244.1.3', 'b'),
          lease('10.244.1.4', 'c'),
          lease('10.244.1.5', 'd', gone),
        ],
        suspicions: [
          { ...seen, container: 'c-a', at: NOW, verdict: 'leaked' },
          { ...seen, container: 'c-b', at: NOW, verdict: 'suspect' },
          // Of a lease before this one.
          { ...seen, container: 'c-c', at: 0, verdict: 'leaked' },
        ],
        conflicts: [
          { ...used, address: address('10.244.1.4'), container: 'x', pod: 'default/x' },
          { ...used, address: address('10.244.1.5'), container: 'c-d', pod: 'default/d' },
          { ...used, address: address('10.244.1.6'), container: 'y' },
        ],
      }),
    ])
    expect(lines.slice(0, 8).map(line => line.replaceAll(/ {3,}/g, ' | '))).toEqual([
      '# mynet (10.244.1.0/24): 0 assigned, 1 leaked, 1 suspect, 3 in conflict, 0 cooling down, 1 reserved, 248 free',
      'IP | STATUS | POD',
      '10.244.1.1 | RESERVED | <gateway>',
      '10.244.1.2 | LEAKED | default/a',
      '10.244.1.3 | SUSPECT | default/b',
      '10.244.1.4 | CONFLICT | default/c <also in use by default/x>',
      expect.stringMatching(/^10\.244\.1\.5 \| CONFLICT.* \| default\/d <still in use by default\/d>$/),
      '10.244.1.6 | CONFLICT | <in use by container y>',
    ])
  })

  test('of a network whose ranges are not known says so, however many sets have given an address', () => {
    for (const sets of [[], [[]], [[], []]] as const)
      expect(table([network({ sets: sets as never })])[0]).toBe(
        '# mynet (ranges unknown): 0 assigned, 0 cooling down, 0 reserved, 0 free',
      )
    const six = [range('fd00:9::/125 fd00:9::1-fd00:9::7')] as const
    expect(table([network({ sets: [[] as never, six] })])[0]).toMatch(/^# mynet \(fd00:9::\/125\): /)
  })
})
