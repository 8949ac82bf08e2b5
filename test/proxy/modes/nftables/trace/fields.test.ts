import { describe, expect, test } from 'vitest'
import { isNamed, keysOf } from '#proxy/modes/nftables/trace/fields.ts'
import { ip } from '../../../../support/objects.ts'
import { ruleset } from '../../../../support/units.ts'
import { FROM_POD, packet } from './packet.ts'

const NONE = ruleset({})
const OUT = packet({ packet: { ...FROM_POD, from: ip('10.99.0.2'), via: { hook: 'output' } } })

describe('the fields of a packet', () => {
  test.each([
    ['ip saddr', packet(), '10.244.1.7'],
    ['ip daddr', packet({ to: ip('10.244.2.2') }), '10.244.2.2'],
    ['ip6 daddr', packet({ to: ip('fd00::2') }), 'fd00::2'],
    ['meta l4proto', packet(), 'tcp'],
    ['th dport', packet({ port: 8080 }), '8080'],
    ['tcp dport', packet(), '80'],
    ['iifname', packet(), 'cni0'],
    ['iifname', OUT, ''],
    ['fib daddr type', packet(), 'unicast'],
    ['fib daddr type', packet({ to: ip('10.99.0.2') }), 'local'],
    ['fib daddr type', packet({ to: ip('127.8.8.8') }), 'local'],
    ['fib saddr type', packet(), 'unicast'],
    ['fib saddr type', OUT, 'local'],
    ['ct state', packet(), 'new'],
    ['ct status', packet(), 'none'],
    ['ct status', packet({ state: new Set(['translated'] as const) }), 'dnat'],
    ['meta mark & 0x4000', packet(), '0'],
    ['meta mark & 0x4000', packet({ state: new Set(['marked'] as const) }), '1'],
  ])('%s', (field, traced, expected) => expect(keysOf([field], traced)).toEqual([expected]))

  test('form a key for each number that may be drawn, in the order of the fields', () => {
    expect(keysOf(['ip daddr', 'tcp dport', 'numgen random mod 3'], packet())).toEqual([
      '10.96.0.10 . 80 . 0',
      '10.96.0.10 . 80 . 1',
      '10.96.0.10 . 80 . 2',
    ])
  })

  test('form none where one is a port of another protocol', () => {
    expect(keysOf(['ip daddr', 'udp dport'], packet())).toEqual([])
    expect(keysOf(['sctp dport', 'numgen random mod 3'], packet())).toEqual([])
  })
})

describe('a key is named by', () => {
  test.each([
    ['new', 'new', true],
    ['80', '81', false],
    ['10.96.0.10', '10.96.0.10', true],
    ['10.96.0.10', '10.96.0.0/12', true],
    ['10.128.0.1', '10.96.0.0/12', false],
    ['fd00::1', '10.96.0.0/12', false],
    ['cni0', '"cni0"', true],
    ['cni01', '"cni0"', false],
    ['veth12', '"veth*"', true],
    ['eth0', '"veth*"', false],
    ['', '"veth*"', false],
  ])('%s: %s: %s', (key, value, holds) => expect(isNamed(NONE, key, value, packet())).toBe(holds))

  test('a set that has it', () => {
    const rules = ruleset({ 'element cluster-ips 10.96.0.10': '' })
    expect(isNamed(rules, '10.96.0.10', '@cluster-ips', packet())).toBe(true)
    expect(isNamed(rules, '10.96.0.11', '@cluster-ips', packet())).toBe(false)
    expect(isNamed(rules, '10.96.0.10', '@hairpin', packet())).toBe(false)
  })
})

describe('a set that clients enter has one', () => {
  const rules = ruleset({
    'chain endpoint-x': 'update @affinity-x { ip saddr timeout 60s }\nmeta l4proto tcp dnat to 10.1.0.1:80',
    // An element of this name would be of another program.
    'element affinity-y 10.244.1.7': '',
  })
  const comesBack = (set: string, last?: { readonly endpoint: string; readonly secondsAgo: number }) =>
    isNamed(rules, '10.244.1.7', `@${set}`, packet({ packet: { ...FROM_POD, ...(last && { last }) } }))

  test.each([
    [60, '10.1.0.1:80', true],
    [61, '10.1.0.1:80', false],
    [1, '10.1.0.2:80', false],
  ])('that was sent %i seconds ago to %s: %s', (secondsAgo, endpoint, holds) => {
    expect(comesBack('affinity-x', { endpoint, secondsAgo })).toBe(holds)
  })

  test('never, where the client is new or the endpoint has no chain', () => {
    expect(comesBack('affinity-x')).toBe(false)
    expect(comesBack('affinity-y', { endpoint: '10.1.0.1:80', secondsAgo: 1 })).toBe(false)
  })
})
