import { describe, expect, test } from 'vitest'
import { listingOf } from '#dialects/nft-listing.ts'

const list = (...nftables: readonly object[]) =>
  listingOf(JSON.stringify({ nftables: [{ metainfo: {} }, ...nftables] }))
const rule = (expr: readonly object[], more: object = {}): string =>
  list({ chain: { name: 'c' } }, { rule: { chain: 'c', expr, ...more } }).chains.get('c')!
const map = (more: object) => list({ map: { name: 'm', ...more } }).maps.get('m')!

const DADDR = { payload: { protocol: 'ip', field: 'daddr' } }
const SADDR = { payload: { protocol: 'ip', field: 'saddr' } }
const L4PROTO = { meta: { key: 'l4proto' } }
const DPORT = { payload: { protocol: 'th', field: 'dport' } }

describe('a chain', () => {
  test('is its rules, one a line, and a base chain its hook before them', () => {
    const { chains } = list(
      { chain: { name: 'in', type: 'filter', hook: 'input', prio: -110, policy: 'accept' } },
      { rule: { chain: 'in', expr: [{ jump: { target: 'a' } }] } },
      { rule: { chain: 'in', expr: [{ drop: null }] } },
    )
    expect(chains.get('in')).toBe('type filter hook input priority -110 ; policy accept\njump a\ndrop')
  })

  test('without rules is empty text', () => expect(list({ chain: { name: 'c' } }).chains.get('c')).toBe(''))
})

describe('a rule', () => {
  test.each([
    [[{ match: { op: 'in', left: { ct: { key: 'state' } }, right: 'new' } }], 'ct state new'],
    [[{ match: { op: '!=', left: SADDR, right: { prefix: { addr: '10.0.0.0', len: 8 } } } }], 'ip saddr != 10.0.0.0/8'],
    [[{ match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'veth*' } }], 'iifname "veth*"'],
    [[{ match: { op: '!=', left: { '&': [{ meta: { key: 'mark' } }, 16384] }, right: 0 } }], 'meta mark & 0x4000 != 0'],
    [
      [{ mangle: { key: { meta: { key: 'mark' } }, value: { '|': [{ meta: { key: 'mark' } }, 2147483648] } } }],
      'meta mark set meta mark | 0x80000000',
    ],
    [
      [{ match: { op: '==', left: { fib: { result: 'type', flags: ['daddr'] } }, right: 'local' } }],
      'fib daddr type local',
    ],
    [[{ masquerade: { flags: 'fully-random' } }], 'masquerade fully-random'],
    [[{ masquerade: { flags: ['fully-random'] } }], 'masquerade fully-random'],
    [[{ reject: { type: 'icmp', expr: 'port-unreachable' } }], 'reject'],
    [[{ reject: null }], 'reject'],
    [
      [{ set: { op: 'update', elem: { elem: { val: SADDR, timeout: 600 } }, set: '@a' } }],
      'update @a { ip saddr timeout 600s }',
    ],
    [
      [{ match: { op: '==', left: L4PROTO, right: 'udp' } }, { dnat: { addr: '10.1.1.1', port: 53 } }],
      'meta l4proto udp dnat to 10.1.1.1:53',
    ],
    [[{ dnat: { addr: 'fd00::1', port: 53 } }], 'dnat to [fd00::1]:53'],
  ])('%j is: %s', (expr, text) => expect(rule(expr)).toBe(text))

  test('prints protocols by name even where the machine has no names for them', () => {
    for (const [number, called] of [
      [6, 'tcp'],
      [17, 'udp'],
      [132, 'sctp'],
    ] as const) {
      expect(rule([{ match: { op: '==', left: L4PROTO, right: number } }])).toBe(`meta l4proto ${called}`)
    }
  })

  test('prints choices in the order of their numbers, whatever order the kernel keeps them in', () => {
    const numgen = { numgen: { mode: 'random', mod: 3, offset: 0 } }
    const verdicts = [2, 0, 1].map(i => [i, { goto: { target: `c${i}` } }])
    expect(rule([{ vmap: { key: numgen, data: { set: verdicts } } }])).toBe(
      'numgen random mod 3 vmap { 0 : goto c0 , 1 : goto c1 , 2 : goto c2 }',
    )
    const endpoints = [1, 0, 2].map(i => [i, { concat: [`10.1.1.${i}`, 80] }])
    const dnat = { dnat: { family: 'ip', addr: { map: { key: numgen, data: { set: endpoints } } } } }
    expect(rule([dnat])).toBe(
      'dnat ip to numgen random mod 3 map { 0 : 10.1.1.0 . 80 , 1 : 10.1.1.1 . 80 , 2 : 10.1.1.2 . 80 }',
    )
  })

  test('has its comment at the end', () =>
    expect(rule([{ drop: null }], { comment: 'why' })).toBe('drop comment "why"'))

  test('in words that are not ours comes out as JSON, and so is equal to nothing of ours', () => {
    expect(rule([{ counter: { packets: 1, bytes: 2 } }, { drop: null }])).toBe(
      '{"counter":{"packets":1,"bytes":2}} drop',
    )
    expect(rule([{ reject: { type: 'tcp reset' } }])).toContain('tcp reset')
    expect(rule([{ dnat: { addr: { numgen: { mode: 'random', mod: 2, offset: 5 } } } }])).toContain('"offset":5')
  })
})

describe('the types of a map', () => {
  const data = 'ipv4_addr . inet_service'

  test('are the same whether nft prints types, as 1.0.6, or the expressions it was made with, as later ones', () => {
    const types = ['ipv4_addr', 'inet_proto', 'inet_service', 'integer']
    const examples = [DADDR, L4PROTO, DPORT, { numgen: { mode: 'random', mod: 2, offset: 0 } }]
    const words = 'ipv4_addr . inet_proto . inet_service . integer : ipv4_addr . inet_service'
    expect(map({ type: types, map: data }).types).toBe(words)
    expect(map({ type: { typeof: { concat: examples } }, map: data }).types).toBe(words)
  })

  test('are its key and its values', () =>
    expect(map({ type: ['inet_proto', 'inet_service'], map: 'verdict' }).types).toBe(
      'inet_proto . inet_service : verdict',
    ))

  test('of a set with a time of its own differ from those without', () => {
    const set = (more: object) => list({ set: { name: 's', type: 'ipv4_addr', ...more } }).sets.get('s')!.types
    expect(set({})).toBe('ipv4_addr')
    expect(set({ flags: ['timeout'] })).toBe('ipv4_addr ; flags dynamic,timeout')
    expect(set({ flags: 'timeout' })).toBe('ipv4_addr ; flags dynamic,timeout')
    expect(set({ flags: ['timeout'], timeout: 10800 })).toBe('ipv4_addr ; flags dynamic,timeout ; timeout 10800s')
  })
})

describe('an element', () => {
  test('is its key, and what stands behind it', () => {
    const type = ['ipv4_addr', 'inet_proto', 'inet_service']
    const elem = [
      [{ elem: { val: { concat: ['10.96.0.1', 'tcp', 80] }, comment: 'shop/cart' } }, { goto: { target: 'lb-1' } }],
      [{ concat: ['10.96.0.2', 17, 17] }, { drop: null }],
    ]
    expect([...map({ type, map: 'verdict', elem }).elements()]).toEqual([
      ['10.96.0.1 . tcp . 80', 'comment "shop/cart" : goto lb-1'],
      ['10.96.0.2 . udp . 17', ': drop'],
    ])
  })

  test('of a set has nothing behind it', () => {
    const set = list({ set: { name: 's', type: 'ipv6_addr', elem: ['fd00::1', '::1.2.3.4'] } }).sets.get('s')!
    expect([...set.elements()]).toEqual([
      ['fd00::1', ''],
      ['::102:304', ''],
    ])
  })
})
