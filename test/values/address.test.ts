import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressFromNumber, addressNumber, familyOf, hostPort, isLoopback, parseAddress } from '#values/address.ts'
import { ip } from '../support/objects.ts'

describe('an address', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['fd00:0:0:0:0:0:0:1', 'fd00::1'],
    ['FD00::00AB', 'fd00::ab'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['1:2:3:4:5:6::7', '1:2:3:4:5:6:0:7'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:a00:1', '10.0.0.1'],
    ['0:0:0:0:0:ffff:255.255.255.255', '255.255.255.255'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['::1.2.3.4', '::102:304'],
  ])('%s is %s', (text, canonical) => expect(parseAddress(text)).toBe(canonical))

  test.each([
    '010.1.1.1',
    '1.2.3',
    '1.2.3.4.5',
    '0x7f.1',
    '2130706433',
    '10.1.0.400',
    '1.2.3.4 ',
    '1.2.3.4\n',
    '-1.2.3.4',
    'fe80::1%eth0',
    '[::1]',
    '1::2::3',
    ':::',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7',
    '::12345',
    '::1.2.3.400',
    '::1.2.3.04',
    '1.2.3.4::',
    '10.0.0.1/32',
    '',
    '１０.0.0.1',
    undefined,
    null,
    7,
    ['10.0.0.1'],
  ])('%j is not one', text => expect(parseAddress(text)).toBeUndefined())

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

  test('is written as URLs write it, which are by RFC 5952, too, but for those mapped from IPv4', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
      minLength: 8,
      maxLength: 8,
    })
    fc.assert(
      fc.property(groups, fc.boolean(), (numbers, isPadded) => {
        const text = numbers.map(number => number.toString(16).padStart(isPadded ? 4 : 1, '0')).join(':')
        const address = parseAddress(text)!
        fc.pre(familyOf(address) === 'ipv6')
        expect(`[${address}]`).toBe(new URL(`http://[${text}]/`).hostname)
      }),
    )
  })

  test('of any number is canonical already, up to the largest', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), fc.integer({ min: 0, max: 128 }), (value, zeroes) => {
        const address = addressFromNumber('ipv6', (value >> BigInt(zeroes)) << BigInt(zeroes))
        expect(parseAddress(address)).toBe(address)
      }),
    )
    expect(addressNumber(ip('255.255.255.255'))).toBe(2n ** 32n - 1n)
    expect(addressNumber(ip('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'))).toBe(2n ** 128n - 1n)
  })

  test('with a port is written with brackets only where there are colons', () => {
    expect(hostPort(ip('10.0.0.1'), 80)).toBe('10.0.0.1:80')
    expect(hostPort(ip('fd00::1'), 80)).toBe('[fd00::1]:80')
  })

  test('is of the host itself from 127.0.0.0 to 127.255.255.255, and ::1', () => {
    for (const text of ['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1'])
      expect(isLoopback(ip(text))).toBe(true)
    for (const text of ['126.255.255.255', '12.7.0.0', '128.0.0.0', '::', '::7f00:1'])
      expect(isLoopback(ip(text))).toBe(false)
  })
})
