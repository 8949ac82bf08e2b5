import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reaching } from '#routes/plan/reach.ts'
import type { KernelState } from '#routes/plan/route-plan.ts'
import { addressFromNumber, FAMILIES } from '#values/address.ts'
import { type Cidr, contains, prefixLength, prefixOf } from '#values/cidr.ts'
import { address } from '../stage.ts'

interface Route {
  readonly destination: string
  readonly link?: string
  readonly gateway?: string
  readonly priority?: number
  readonly table?: number
  readonly protocol?: number
}

function reachingBy(...routes: readonly Route[]) {
  const of = (isIPv6: boolean) =>
    routes
      .filter(({ destination }) => destination.includes(':') === isIPv6)
      .map(route => ({ table: 254, protocol: 2, ...route }))
  const links = ['eth0', 'eth1', 'switchyard-vx'].map(name => ({ name, isUp: true }))
  const state = { links: [...links, { name: 'down0', isUp: false }], routes: { ipv4: of(false), ipv6: of(true) } }
  return reaching(state as unknown as KernelState)
}

const DEFAULT: Route = { destination: '0.0.0.0/0', link: 'eth0', gateway: '192.0.2.254' }
const HOST = address('192.0.2.7')

describe('a node is reached', () => {
  test('on a link where a route leads straight there, else by a router', () => {
    const reach = reachingBy(DEFAULT, { destination: '192.0.2.0/24', link: 'eth1' })
    expect([reach(HOST), reach(address('198.51.100.1'))]).toMatchObject([
      { link: 'eth1', by: 'link' },
      { link: 'eth0', by: 'router' },
    ])
  })

  test('by the most exact route, whatever order they are in; of two alike by the one of the lower priority', () => {
    const exact: Route = { destination: '192.0.2.7/32', link: 'eth1', gateway: '192.0.2.9', priority: 100 }
    for (const routes of [
      [DEFAULT, exact],
      [exact, DEFAULT],
    ])
      expect(reachingBy(...routes)(HOST)).toMatchObject({ link: 'eth1', by: 'router' })
    const costly: Route = { destination: '192.0.2.0/24', link: 'eth0', priority: 600 }
    const cheap: Route = { ...costly, link: 'eth1', priority: 100 }
    for (const routes of [
      [costly, cheap],
      [cheap, costly],
    ])
      expect(reachingBy(...routes)(HOST)).toMatchObject({ link: 'eth1' })
    expect(reachingBy(cheap, { ...costly, priority: 0 })(HOST)).toMatchObject({ link: 'eth0' })
  })

  test.each<[string, Route]>([
    ['of ours, or two rounds would lean on each other', { destination: '192.0.2.0/24', link: 'eth0', protocol: 115 }],
    ['of another table', { destination: '192.0.2.0/24', link: 'eth0', table: 100 }],
    ['over the overlay', { destination: '192.0.2.0/24', link: 'switchyard-vx' }],
    ['over a link that is down', { destination: '192.0.2.0/24', link: 'down0' }],
    ['over no link, as one that refuses packets', { destination: '192.0.2.0/24' }],
    ['of the other family', { destination: '::/0', link: 'eth0' }],
  ])('by no route %s', (_, route) => {
    expect(reachingBy(route)(HOST)).toBeUndefined()
  })

  test('over IPv6 by its own routes', () => {
    const reach = reachingBy(
      { destination: '::/0', link: 'eth0', gateway: 'fe80::1' },
      { destination: '2001:db8::/64', link: 'eth1' },
    )
    expect(reach(address('2001:db8::7'))).toMatchObject({ link: 'eth1', by: 'link' })
    expect(reach(address('2001:db8:0:1::7'))).toMatchObject({ link: 'eth0', by: 'router' })
  })
})

test('each address takes the longest of the ranges it is in', () => {
  for (const family of FAMILIES) {
    const bits = family === 'ipv4' ? 32 : 128
    const base = family === 'ipv4' ? 0xc000_0200n : 0x2001_0db8n << 96n
    const at = (number: number) => addressFromNumber(family, base + BigInt(number))
    const anyRange = fc
      .tuple(fc.nat(255), fc.integer({ min: 0, max: 8 }))
      .map(([number, free]) => prefixOf(at(number), bits - free))
    fc.assert(
      fc.property(fc.uniqueArray(anyRange, { maxLength: 10 }), fc.nat(255), (ranges, number) => {
        const host = at(number)
        const longest = ranges
          .filter(range => contains(range, host))
          .toSorted((a: Cidr, b: Cidr) => prefixLength(b) - prefixLength(a))[0]
        const named = (destination: Cidr): Route => ({ destination, link: destination === longest ? 'eth1' : 'eth0' })
        expect(reachingBy(...ranges.map(named))(host)?.link).toBe(longest && 'eth1')
      }),
    )
  }
})
