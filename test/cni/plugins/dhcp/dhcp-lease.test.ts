import { describe, expect, test } from 'vitest'
import { leaseOf, resultOf } from '#cni/plugins/dhcp/dhcp-lease.ts'
import { answerOf, OPTION } from '#cni/plugins/dhcp/message.ts'
import type { DhcpLease } from '#ipam/leases/dhcp/dhcp-book.ts'
import { answerBytes, seconds } from './paper-server.ts'

const granted = (...options: readonly (readonly [number, Buffer])[]): DhcpLease | string =>
  leaseOf({
    answer: answerOf(answerBytes({ kind: 'ACK', options: new Map(options) }))!,
    serverHardware: Buffer.from('0200000000ff', 'hex'),
    askedAt: 5000,
  })
const router: readonly [number, Buffer] = [OPTION.routers, Buffer.from([10, 9, 0, 1])]

describe('what a server granted', () => {
  test('an hour where it names no time; half of it and seven eighths or so for the rest', () => {
    expect(granted()).toMatchObject({ renewAt: 5000 + 1800_000, rebindAt: 5000 + 3060_000, expiresAt: 5000 + 3600_000 })
  })

  test('times in no order are put into one', () => {
    const lease = granted([51, seconds(100)], [58, seconds(900)], [59, seconds(500)])
    expect(lease).toMatchObject({ renewAt: 105_000, rebindAt: 105_000, expiresAt: 105_000 })
  })

  test('a router is the gateway and the default route', () => {
    const lease = granted(router) as DhcpLease
    expect(resultOf(lease, 7)).toEqual({
      interfaces: [],
      ips: [{ address: '10.9.0.5', prefixLength: 24, gateway: '10.9.0.1' }],
      routes: [{ dst: '0.0.0.0/0', gw: '10.9.0.1', priority: 7 }],
      dns: {},
    })
  })

  test('static routes are as long as their class', () => {
    const pairs = Buffer.from([192, 0, 2, 9, 10, 9, 0, 2, 172, 16, 4, 4, 10, 9, 0, 3, 11, 1, 1, 1, 10, 9, 0, 4])
    expect((granted(router, [33, pairs]) as DhcpLease).routes).toEqual([
      { destination: '192.0.2.0/24', gateway: '10.9.0.2' },
      { destination: '172.16.0.0/16', gateway: '10.9.0.3' },
      { destination: '11.0.0.0/8', gateway: '10.9.0.4' },
      { destination: '0.0.0.0/0', gateway: '10.9.0.1' },
    ])
  })

  test('classless ones stand in place of all; one without router is on the link, one cut short is left out', () => {
    const bytes = Buffer.from([0, 10, 9, 0, 7, 24, 192, 0, 2, 0, 0, 0, 0, 25, 198, 51])
    expect((granted(router, [121, bytes]) as DhcpLease).routes).toEqual([
      { destination: '0.0.0.0/0', gateway: '10.9.0.7' },
      { destination: '192.0.2.0/24' },
    ])
  })

  test.each([
    ['no mask', granted([1, Buffer.alloc(0)]), /subnet mask/],
    ['a mask with holes', granted([1, Buffer.from([255, 0, 255, 0])]), /subnet mask/],
    ['no server', granted([54, Buffer.alloc(0)]), /who it is/],
  ])('with %s it cannot be used', (_, lease, why) => {
    expect(lease).toMatch(why)
  })
})
