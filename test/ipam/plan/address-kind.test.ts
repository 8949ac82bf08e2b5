import { expect, test } from 'vitest'
import { addressKind } from '#ipam/plan/address-kind.ts'
import { parseCidr } from '#values/cidr.ts'

const kindOf = (text: string): string => addressKind(parseCidr(text)!)

test.each([
  ['10.0.0.0/8', 'Class A, Private Internet'],
  ['10.244.1.0/24', 'Class A, Private Internet'],
  ['172.16.0.0/12', 'Class B, Private Internet'],
  ['192.168.7.0/31', 'Class C, Private Internet, PtP Link RFC 3021'],
  ['169.254.3.0/24', 'Class B, APIPA'],
  ['127.0.0.0/8', 'Class A, Loopback'],
  ['239.1.0.0/16', 'Class D, Multicast'],
  ['240.0.0.0/4', 'Class E'],
  ['255.255.255.255/32', 'Class invalid'],
  ['8.8.8.0/24', 'Class A'],
  ['fd00:244::/64', 'Unique Local'],
  ['fe80::/64', 'Link-Local'],
  ['ff02::/16', 'Multicast'],
  ['2a01:4f8::/32', 'Global Unicast'],
  ['::/127', ''],
])('%s is of the kind "%s"', (subnet, kind) => {
  expect(kindOf(subnet)).toBe(kind)
})

test('of two blocks around a subnet, the narrower one is its kind', () => {
  expect(kindOf('2001:db8:7::/48')).toBe('Documentation')
})

test.each([
  ['172.0.0.0/8', 'Class B, In Part Private Internet'],
  ['192.0.0.0/8', 'Class C, In Part Private Internet'],
  ['2001::/16', 'In Part Documentation'],
  ['fe00::/8', 'In Part Link-Local'],
])('%s, which goes beyond its block, is of it in part', (subnet, kind) => {
  expect(kindOf(subnet)).toBe(kind)
})

test('all of IPv4 is in part of the first block, and no block of IPv6 counts for it', () => {
  expect([kindOf('0.0.0.0/0'), kindOf('::/0')]).toEqual(['Class A, In Part Private Internet', 'In Part Documentation'])
})
