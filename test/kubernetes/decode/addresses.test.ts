import { describe, expect, test } from 'vitest'
import { addressAt, addressIn, cidrAt, cidrIn } from '#kubernetes/decode/addresses.ts'
import { Problems } from '#kubernetes/decode/checks.ts'

// The expectations are those of ParseIP and ParseCIDR in k8s.io/utils/internal/third_party/forked/golang/net, which
// ParseIPSloppy and ParseCIDRSloppy are.

describe('an address', () => {
  test.each([
    ['172.30.0.41', '172.30.0.41'],
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['::ffff:192.0.2.8', '192.0.2.8'],
  ])('%s is %s, and nothing is said', (text, address) => {
    const problems = new Problems()
    expect(addressIn('spec.clusterIP', text, problems)).toBe(address)
    expect(problems).toMatchObject({ lines: [], warnings: [] })
  })

  test.each([
    ['172.30.0.041', '172.30.0.41'],
    ['010.180.0.1', '10.180.0.1'],
    ['010.010.010.010', '10.10.10.10'],
    ['00000000000000000010.0.0.1', '10.0.0.1'],
    ['00.000.0.00', '0.0.0.0'],
    ['10.0.0.089', '10.0.0.89'],
    ['::ffff:010.0.0.01', '10.0.0.1'],
    ['64:ff9b::010.0.0.1', '64:ff9b::a00:1'],
    ['fd00::000000a1', 'fd00::a1'],
    ['0000002001:DB8::1', '2001:db8::1'],
  ])('%s is %s, decimal and with a warning', (text, address) => {
    const problems = new Problems()
    expect(addressIn('spec.clusterIP', text, problems)).toBe(address)
    expect(problems.lines).toEqual([])
    expect(problems.warnings).toEqual([`spec.clusterIP: "${text}" has leading zeros; it is read as ${address}`])
  })

  test.each([
    ...[
      '172.30.0.0256',
      '0172.30.0',
      '0172.30.0.1.1',
      '0x0a.0.0.1',
      '0o12.0.0.1',
      '010.0.0.1/32',
      ' 010.0.0.1',
      '010.0.0.1 ',
    ],
    ...[
      '012345::1',
      'fd00::01%eth0',
      '::ffff:010.0.0.0256',
      '',
      '0',
      '00',
      '.',
      '0.0.0.',
      '+010.0.0.1',
      10,
      null,
      undefined,
      {},
    ],
  ])('%j is none', value => {
    const problems = new Problems()
    expect(addressIn('spec.clusterIP', value, problems)).toBeUndefined()
    expect(problems).toMatchObject({ lines: [], warnings: [] })
    expect(addressAt('spec.clusterIP', value, problems)).toBeUndefined()
    expect(problems.lines).toEqual([expect.stringMatching(/^spec\.clusterIP: .* is not an IP address$/)])
  })
})

describe('a range', () => {
  test.each([
    ['10.244.1.7/24', '10.244.1.0/24'],
    ['::ffff:10.1.0.0/104', '10.0.0.0/8'],
    ['::ffff:a00:1/128', '10.0.0.1/32'],
    ['64:ff9b::1.2.3.4/96', '64:ff9b::/96'],
  ])('%s is %s, and nothing is said', (text, cidr) => {
    const problems = new Problems()
    expect(cidrIn('spec.podCIDR', text, problems)).toBe(cidr)
    expect(problems).toMatchObject({ lines: [], warnings: [] })
  })

  test.each([
    ['010.244.1.0/24', '10.244.1.0/24'],
    ['10.244.1.0/024', '10.244.1.0/24'],
    ['00.0.0.0/00', '0.0.0.0/0'],
    ['fd00::00001/064', 'fd00::/64'],
    ['::ffff:010.0.0.0/0104', '10.0.0.0/8'],
  ])('%s is %s, decimal and with a warning', (text, cidr) => {
    const problems = new Problems()
    expect(cidrIn('spec.podCIDR', text, problems)).toBe(cidr)
    expect(problems.warnings).toEqual([`spec.podCIDR: "${text}" has leading zeros; it is read as ${cidr}`])
  })

  test.each([
    ...['010.0.0.0/033', '010.0.0.0', '010.0.0.0/', '010.0.0.0/ 8', '010.0.0.0/8/8', '0256.0.0.0/8', 'fd00::/0129'],
    // Go makes ::/8 of the first, which is no range of IPv4: as 10.0.0.0/8 it would let in clients that no entry names.
    ...['::ffff:10.0.0.0/8', '::ffff:10.0.0.0/95', '::ffff:10.0.0.0/129', 8, null],
  ])('%j is none', value => {
    const problems = new Problems()
    expect(cidrAt('spec.podCIDR', value, '10.244.1.0/24', problems)).toBeUndefined()
    expect(problems.warnings).toEqual([])
    expect(problems.lines).toEqual([
      expect.stringMatching(/^spec\.podCIDR: .* is not an address range like 10\.244\.1\.0\/24$/),
    ])
  })
})

test('thousands of warnings about one object are a few lines', () => {
  const problems = new Problems()
  for (let i = 0; i < 5000; i++) addressIn(`endpoints[${i}].addresses[0]`, '010.0.0.1', problems)
  expect(problems.warnings).toHaveLength(21)
  expect(problems.warnings.at(-1)).toBe('and 4980 more')
})
