import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressFromNumber, addressNumber, hostPort, parseAddress } from '#values/address.ts'
import { contains, overlaps, parseCidr } from '#values/cidr.ts'
import { hash8, hash16 } from '#values/digest.ts'
import { formatDuration, parseDuration, roundedDuration } from '#values/duration.ts'
import { parseObjectName, parsePortName, portId } from '#values/names.ts'
import { parsePortRange } from '#values/port-range.ts'
import { cidr, ip, name } from '../support/objects.ts'

describe('an address', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['fd00:0:0:0:0:0:0:1', 'fd00::1'],
    ['FD00::00AB', 'fd00::ab'],
    ['::', '::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('%s is %s', (text, canonical) => expect(parseAddress(text)).toBe(canonical))

  test.each(['010.1.1.1', '1.2.3', '0x7f.1', '10.1.0.400', '1.2.3.4 ', 'fe80::1%eth0', '', '１０.0.0.1', undefined, 7])(
    '%j is not one',
    text => expect(parseAddress(text)).toBeUndefined(),
  )

  test('goes to a number and back', () => {
    fc.assert(
      fc.property(fc.ipV6(), text => {
        const address = parseAddress(text)!
        const family = address.includes(':') ? 'ipv6' : 'ipv4'
        expect(addressFromNumber(family, addressNumber(address))).toBe(address)
      }),
    )
    fc.assert(
      fc.property(fc.ipV4(), text => {
        expect(addressFromNumber('ipv4', addressNumber(ip(text)))).toBe(text)
      }),
    )
  })

  test('with a port is written with brackets only where there are colons', () => {
    expect(hostPort(ip('10.0.0.1'), 80)).toBe('10.0.0.1:80')
    expect(hostPort(ip('fd00::1'), 80)).toBe('[fd00::1]:80')
  })
})

describe('a range', () => {
  test.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['fd00::1/64', 'fd00::/64'],
    ['10.0.0.1/32', '10.0.0.1/32'],
  ])('%s is %s', (text, canonical) => expect(parseCidr(text)).toBe(canonical))

  test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', '010.0.0.0/8', '10.0.0.0/-1', ' 10.0.0.0/8', 'fd00::/129'])(
    '%j is not one',
    text => expect(parseCidr(text)).toBeUndefined(),
  )

  test('holds its addresses and no others', () => {
    expect(contains(cidr('10.244.0.0/16'), ip('10.244.255.255'))).toBe(true)
    expect(contains(cidr('10.244.0.0/16'), ip('10.245.0.0'))).toBe(false)
    expect(contains(cidr('fd00::/8'), ip('10.0.0.1'))).toBe(false)
    expect(overlaps(cidr('10.0.0.0/8'), cidr('10.1.0.0/16'))).toBe(true)
    expect(overlaps(cidr('10.1.0.0/16'), cidr('10.2.0.0/16'))).toBe(false)
  })
})

test.each([
  ['default/db-service:3306tcp', '3TNEVSQEVUCP4TQO'],
  ['default/db-service:3306tcp10.244.1.2:3306', 'I7CURNLPIVBZIY32'],
  ['default/nptcp', 'LDATH6LIB7VCFHLW'],
  ['default/dstcp[fd00:244:1::5]:81', 'HVCDSDIVFKCR2576'],
  ['default/kubernetes:httpstcp', 'NPX46M4PTMTKRN6Y'],
])('the hash of %s is %s', (text, hash) => expect(hash16(text)).toBe(hash))

test('the short hash is that of nftables chains', () => {
  expect(hash8('default/db-service/tcp/3306')).toBe('2G6UF2JP')
  expect(hash8('default/np/tcp/')).toBe('L54OOY4A')
})

describe('a name', () => {
  test.each([
    ['shop\n-j ACCEPT', 'x'],
    ['shop', 'a"b'],
    ['Shop', 'x'],
    ['shop', 'a'.repeat(254)],
    ['a.b', 'x'],
    ['shop', ''],
    ['shop', undefined],
  ])('%j/%j is not one', (namespace, called) => expect(parseObjectName(namespace, called)).toBeUndefined())
  test('of a port is empty or a label', () => {
    expect(parsePortName(undefined)).toBe('')
    expect(parsePortName('http')).toBe('http')
    for (const bad of ['a b', 'é', 'a'.repeat(64), 'UP', 5]) expect(parsePortName(bad)).toBeUndefined()
  })
  test('of a service port has a colon only where the port has a name', () => {
    expect(portId(name('shop/cart'), parsePortName('http')!)).toBe('shop/cart:http')
    expect(portId(name('shop/cart'), parsePortName('')!)).toBe('shop/cart')
  })
})

describe('a duration', () => {
  test.each([
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5s', 1500],
    ['0', 0],
    ['-1s', -1000],
    ['100us', 0.1],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms))
  test.each(['', '30', '1d', 's', '1s ', '1,5s', '--1s'])('%j is not one', text =>
    expect(parseDuration(text)).toBeUndefined(),
  )
  test.each([
    [3_600_000, '1h0m0s'],
    [30_000, '30s'],
    [90_000, '1m30s'],
    [250, '250ms'],
    [1500, '1.5s'],
    [0, '0s'],
  ])('%d ms is written %s', (ms, text) => expect(formatDuration(ms)).toBe(text))
  test.each([
    [146.666_664, '147ms'],
    [0.012_345_6, '12.3µs'],
    [1234.5, '1.23s'],
    [35, '35ms'],
    [59_999, '1m0s'],
    [133_456.7, '2m13s'],
    [7_654_321, '2h7m34s'],
    [0, '0s'],
    [-1.234_5, '-1.23ms'],
  ])('%d ms that were measured are written %s', (ms, text) => expect(roundedDuration(ms)).toBe(text))
})

test('a port range has three forms', () => {
  expect(parsePortRange('30000-32767')).toEqual({ first: 30000, last: 32767 })
  expect(parsePortRange('30000+10')).toEqual({ first: 30000, last: 30010 })
  expect(parsePortRange('8080')).toEqual({ first: 8080, last: 8080 })
  expect(parsePortRange('0')).toBe('any')
  for (const bad of ['5-3', 'x', '70000', '1-99999']) expect(parsePortRange(bad)).toBeUndefined()
})
