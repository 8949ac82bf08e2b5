import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  configuredAddress,
  configuredCidr,
  hasLeadingZeros,
  parseListen,
  parsePort,
  splitHostPort,
  splitRanges,
  withPort,
} from '#config/addresses.ts'
import { settings } from './parsing.ts'

describe('an address and a port', () => {
  test.each([
    ['10.0.0.1:80', { host: '10.0.0.1', port: '80' }],
    ['[::1]:80', { host: '::1', port: '80' }],
    ['localhost:', { host: 'localhost', port: '' }],
    [':80', { host: '', port: '80' }],
    ['[]:80', { host: '', port: '80' }],
    // Without brackets it cannot be said where an IPv6 address ends.
    ['::1:80', undefined],
    ['10.0.0.1', undefined],
    ['[::1]', undefined],
    ['[::1]80', undefined],
    ['[::1]:80:81', undefined],
    ['a:b:c', undefined],
    ['', undefined],
  ])('%j is %j', (text, parts) => {
    expect(splitHostPort(text)).toEqual(parts)
  })

  test.each([
    ['10.0.0.1:80', { host: '10.0.0.1', port: 80 }],
    ['010.0.0.01:80', { host: '10.0.0.1', port: 80 }],
    ['[FD00::0:1]:65535', { host: 'fd00::1', port: 65_535 }],
    ['10.0.0.1:0', undefined],
    ['10.0.0.1:65536', undefined],
    ['10.0.0.256:80', undefined],
    ['localhost:80', undefined],
    [':80', undefined],
    ['[10.0.0.1:80', undefined],
    ['[fe80::1%eth0]:80', undefined],
  ])('to listen at, %j is %j', (text, listen) => {
    expect(parseListen(text)).toEqual(listen)
  })

  test.each(['-1', '+80', '8e1', '0x50', ' 80', '80 ', '8.0', '100000', ''])('%j is no port', text => {
    expect(parsePort(text)).toBeUndefined()
  })
})

describe('the port that an address gets', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1:10256'],
    ['::', '[::]:10256'],
    // What has one keeps it, and what is no address stays for validation to refuse.
    ['10.0.0.1:1', '10.0.0.1:1'],
    ['[::]:1', '[::]:1'],
    ['localhost', 'localhost'],
    ['', ''],
  ])('%j becomes %j', (text, whole) => {
    expect(withPort(text, 10_256)).toBe(whole)
  })

  test('makes of every address one to listen at', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6())
    fc.assert(
      fc.property(address, fc.integer({ min: 1, max: 65_535 }), (text, port) => {
        expect(parseListen(withPort(text, port))).toEqual({ host: configuredAddress(text), port })
      }),
    )
  })
})

describe('leading zeros', () => {
  test.each([
    ['010.0.0.1', true],
    ['10.0.0.01/8', true],
    ['10.0.0.0/8', false],
    ['0.0.0.0', false],
    ['fd00::01', false],
    ['010.0.0', false],
  ])('of %s are seen: %s', (text, has) => {
    expect(hasLeadingZeros(text)).toBe(has)
  })

  test('are read as decimal, as kube-proxy does', async () => {
    expect([configuredAddress('010.0.0.08'), configuredCidr('010.001.0.0/16')]).toEqual(['10.0.0.8', '10.1.0.0/16'])
    expect(configuredAddress('0256.0.0.1')).toBeUndefined()
    const read = await settings(
      '--bind-address=010.0.0.01',
      '--cluster-cidr=10.010.0.0/16',
      '--healthz-bind-address=010.0.0.1:1',
    )
    expect(read).toMatchObject({
      bindAddress: '10.0.0.1',
      clusterCIDRs: ['10.10.0.0/16'],
      healthz: { host: '10.0.0.1' },
    })
  })
})

test('ranges stand between commas; an empty one is one that validation refuses', () => {
  expect(splitRanges('')).toEqual([])
  expect(splitRanges('10.0.0.0/8, fd00::/48')).toEqual(['10.0.0.0/8', 'fd00::/48'])
  expect(splitRanges('10.0.0.0/8,')).toEqual(['10.0.0.0/8', ''])
})
