import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attributesIn, message, messagesIn } from '#system/netlink/message.ts'
import type { RouteRequest } from '#system/network/conversation.ts'
import { deletedRoute, listRoutes, newRoute, routesOf } from '#system/network/messages/route-messages.ts'
import type { NetworkRoute } from '#system/network/network.ts'
import { prefixOf } from '#values/cidr.ts'
import { cidr, ip } from '../../../support/objects.ts'
import { contentOf, contentOfBytes } from './content.ts'

// Beside the messages that `ip route` of iproute2 6.1 sent for the same, and those in which Linux 6.18 listed its routes.

const HEADER = 12
const name = (index: number) => ({ 3: 'v1', 4: 'v0' })[index]

/** The table stands in the header, where it has room for it, or in an attribute. */
function said(hex: string): object {
  const content = contentOfBytes(hex, HEADER)
  const header = Buffer.from(content.header, 'hex')
  const hasTable = content.attributes.some(text => text.startsWith('15='))
  const table = hasTable ? [] : [`15=${Buffer.from([header[4]!, 0, 0, 0]).toString('hex')}`]
  header[4] = 0
  return { ...content, header: header.toString('hex'), attributes: [...content.attributes, ...table].sort() }
}

function bodyOf(request: RouteRequest): Buffer {
  const [one] = [...messagesIn(message({ flags: 0, sequence: 1, ...request }))]
  return one!.body
}

describe('a route is made as `ip route append` makes it:', () => {
  test.each<readonly [string, NetworkRoute, string]>([
    [
      'with all there may be',
      {
        ...{ destination: cidr('10.9.0.0/16'), gateway: ip('10.1.0.77'), priority: 5, table: 300, scope: 0 },
        ...{ source: ip('10.1.0.1'), protocol: 77, mtu: 1400, advmss: 1300, isOnLink: true },
      },
      '600000001800050c4e8f0c6b0000000002100000004d000104000000080001000a090000080005000a01004d080006000500000008000f002c010000080007000a01000108000400040000001400080008000200780500000800080014050000',
    ],
    [
      'the default one',
      { destination: cidr('0.0.0.0/0'), gateway: ip('10.1.0.78') },
      '2c0000001800050c4e8f0c6b0000000002000000fe03000100000000080005000a01004e0800040004000000',
    ],
    [
      'one straight to its link',
      { destination: cidr('10.10.0.1/32') },
      '2c0000001800050c4e8f0c6b0000000002200000fe03fd0100000000080001000a0a00010800040004000000',
    ],
    [
      'one of IPv6',
      { destination: cidr('fd07::/64'), gateway: ip('fd00::1'), priority: 5 },
      '540000001800050c4e8f0c6b000000000a400000fe0300010000000014000100fd07000000000000000000000000000014000500fd00000000000000000000000000000108000600050000000800040004000000',
    ],
  ])('%s', (_, route, hex) => expect(contentOf(newRoute(route, 4))).toEqual(said(hex)))

  test('and deleted: what is not named may be anything', () => {
    expect(contentOf(deletedRoute({ destination: cidr('10.99.0.0/16') }, 4))).toEqual(
      said('2c000000190005004e8f0c6b0000000002100000fe00ff0000000000080001000a6300000800040004000000'),
    )
    const route = { destination: cidr('10.99.0.0/16'), gateway: ip('10.1.0.9'), protocol: 77, scope: 0, mtu: 1400 }
    expect(contentOf(deletedRoute(route, undefined))).toEqual(
      said('2c00000019000500b28d0c6b0000000002100000fe4d000000000000080001000a630000080005000a010009'),
    )
  })

  test('routes are asked for by family', () => {
    expect(listRoutes('ipv6')).toMatchObject({ type: 26, header: Buffer.from([10, ...Array(11).fill(0)]) })
  })
})

describe('a route that the kernel lists', () => {
  const listed = (hex: string, family: 'ipv4' | 'ipv6' = 'ipv4') => routesOf(Buffer.from(hex, 'hex'), family, name)

  test('has its gateway, link and metrics, in any table', () => {
    expect(
      listed(
        '02100000fc0300010400000008000f002c010000080001000a0600001400080008000200780500000800080014050000080007000a01000108000500c0a809090800040004000000',
      ),
    ).toEqual([
      {
        ...{ destination: '10.6.0.0/16', table: 300, scope: 0, protocol: 3, priority: 0, source: '10.1.0.1' },
        ...{ mtu: 1400, advmss: 1300, gateway: '192.168.9.9', link: 'v0', isOnLink: true },
      },
    ])
  })

  test('that has several next hops is one for each', () => {
    const shared = { destination: '10.5.0.0/16', table: 254, scope: 0, protocol: 77, priority: 9 }
    expect(
      listed(
        '02100000fe4d00010000000008000f00fe000000080001000a0500000800060009000000240009001000000004000000080005000a0100091000040003000000080005000a01000a',
      ),
    ).toEqual([
      { ...shared, gateway: '10.1.0.9', link: 'v0' },
      { ...shared, gateway: '10.1.0.10', link: 'v1', isOnLink: true },
    ])
    expect(
      listed(
        '0a400000fe0300010000000008000f00fe00000014000100fd05000000000000000000000000000008000600000400003c0009001c0000000400000014000500fd0000000000000000000000000000091c0000000400000014000500fd00000000000000000000000000000a',
        'ipv6',
      ).map(({ gateway }) => gateway),
    ).toEqual(['fd00::9', 'fd00::a'])
  })

  test('is the default one where it has no destination', () => {
    expect(
      listed(
        '0a000000fe0300010000000008000f00fe000000080006000004000014000500fd0000000000000000000000000000fe',
        'ipv6',
      ),
    ).toMatchObject([{ destination: '::/0', gateway: 'fd00::fe', priority: 1024 }])
    expect(listed('02000000fe0300010000000008000f00fe000000080005000a0100fe')).toMatchObject([
      { destination: '0.0.0.0/0' },
    ])
  })

  test.each([
    ['one that discards', '02100000fe0300070000000008000f00fe000000080001000a070000'],
    [
      'one of the local table',
      '02200000ff02fe020000000008000f00ff000000080001000a010001080007000a0100010800040004000000',
    ],
    ['one that is unicast in the local table', '02200000ff02fe010000000008000f00ff000000080001000a010001'],
    ['one of the other family', '0a400000fe0200010000000008000f00fe00000014000100fd000000000000000000000000000000'],
    ['one that is only remembered', '02200000fe0200010002000008000f00fe000000080001000a010001'],
  ])('is left out: %s', (_, hex) => expect(listed(hex)).toEqual([]))

  test('is left out where it leads to what is mapped from IPv4: it would be taken for a range of IPv4', () => {
    const hex = '0a680000fe0300010000000008000f00fe0000001400010000000000000000000000ffff0a0000000800040004000000'
    expect(listed(hex, 'ipv6')).toEqual([])
  })

  test('that is cut off, or whose next hops say wrong lengths, throws nothing', () => {
    const whole = Buffer.from(
      '02100000fe4d00010000000008000f00fe000000080001000a0500000800060009000000240009001000000004000000080005000a0100091000000003000000080005000a01000a',
      'hex',
    )
    for (let length = HEADER; length < whole.length; length++) {
      expect(routesOf(whole.subarray(0, length), 'ipv4', name)).toHaveLength(1)
    }
    const hops = whole.indexOf('24000900', 'hex') + 4
    for (const lie of [0, 7, 8, 9, 255, 65535]) {
      const lying = Buffer.from(whole)
      lying.writeUInt16LE(lie, hops)
      expect(routesOf(lying, 'ipv4', name).length).toBeLessThanOrEqual(4)
    }
  })
})

test('what is written is read, with what the kernel takes where nothing is said', () => {
  const address = (family: 'ipv4' | 'ipv6') =>
    (family === 'ipv4' ? fc.ipV4() : fc.nat().map(n => `fd00::${n.toString(16).slice(-4)}`)).map(ip)
  const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined })
  const number = maybe(fc.integer({ min: 0, max: 0xffff_ffff }))
  const byte = maybe(fc.integer({ min: 0, max: 254 }))
  const routes = fc.constantFrom('ipv4' as const, 'ipv6' as const).chain(family =>
    fc.record({
      destination: fc
        .tuple(address(family), fc.integer({ min: 0, max: family === 'ipv4' ? 32 : 128 }))
        .map(([at, bits]) => prefixOf(at, bits)),
      gateway: maybe(address(family)),
      source: maybe(address(family)),
      table: maybe(fc.constantFrom(1, 254, 256, 0xffff_ffff)),
      ...{ priority: number, mtu: number, advmss: number, scope: byte, protocol: byte },
      isOnLink: maybe(fc.constant(true as const)),
    }),
  )
  fc.assert(
    fc.property(routes, given => {
      const route = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
      const isIpv6 = given.destination.includes(':')
      const body = bodyOf(newRoute(route as unknown as NetworkRoute, 4))
      expect(routesOf(body, isIpv6 ? 'ipv6' : 'ipv4', name)).toEqual([
        {
          ...{ table: 254, priority: 0, protocol: 3, link: 'v0' },
          scope: isIpv6 || given.gateway !== undefined ? 0 : 253,
          ...route,
        },
      ])
      // The kernel takes no attribute twice.
      const types = [...attributesIn(body, HEADER)].map(([type]) => type)
      expect(new Set(types).size).toBe(types.length)
    }),
  )
})
