import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clearMark, dnatBy, dnatTo, hookLine, marked, oneOf, remember, setMark } from '#dialects/nft.ts'
import { expression, protocolName, type StatementTree, statement, valueText } from '#dialects/nft-tree.ts'
import { cidr, ip } from '../support/objects.ts'

// Trees as nft 1.0.6 printed them of rules that the real kernel held.

const SADDR = { payload: { protocol: 'ip', field: 'saddr' } }
const MARK = { meta: { key: 'mark' } }
const NUMGEN = { numgen: { mode: 'random', mod: 2, offset: 0 } }
const DROP = { drop: null } as const

describe('a rule that the program would write', () => {
  test.each<readonly [string, StatementTree]>([
    [marked(0x4000), { match: { op: '!=', left: { '&': [MARK, 0x4000] }, right: 0 } }],
    [marked(0x80000000), { match: { op: '!=', left: MARK, right: { prefix: { addr: 0, len: 1 } } } }],
    [setMark(0x4000), { mangle: { key: MARK, value: { '|': [MARK, 0x4000] } } }],
    [setMark(0x80000000), { mangle: { key: MARK, value: { '|': [MARK, 0x80000000] } } }],
    [clearMark(0x4000), { mangle: { key: MARK, value: { '^': [MARK, 0x4000] } } }],
    [
      dnatBy('ipv4', `${oneOf(2)} map { 0 : 10.1.1.1 . 80 , 1 : 10.1.1.2 . 80 }`),
      {
        dnat: {
          family: 'ip',
          addr: {
            map: {
              key: NUMGEN,
              data: {
                set: [
                  [1, { concat: ['10.1.1.2', 80] }],
                  [0, { concat: ['10.1.1.1', 80] }],
                ],
              },
            },
          },
        },
      },
    ],
    [remember('ipv4', 'a', 600), { set: { op: 'update', elem: { elem: { val: SADDR, timeout: 600 } }, set: '@a' } }],
    ['reject', { reject: { type: 'icmp', expr: 'port-unreachable' } }],
    ['reject', { reject: { type: 'icmpv6', expr: 'port-unreachable' } }],
  ])('is read in the words it was written in: %s', (text, tree) => expect(statement(tree)).toBe(text))

  test('to any address and port, of both families', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65535 }), (at, port) => {
        const protocol: StatementTree = { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: 'tcp' } }
        const trees = [protocol, { dnat: { addr: ip(at), port } }]
        expect(trees.map(statement).join(' ')).toBe(dnatTo('tcp', ip(at), port))
      }),
    )
  })

  test('with any mark', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 31 }), bit => {
        const mark = 2 ** bit
        expect(statement({ mangle: { key: MARK, value: { '|': [MARK, mark] } } })).toBe(setMark(mark))
        expect(statement({ match: { op: '!=', left: { '&': [MARK, mark] }, right: 0 } })).toBe(marked(mark))
      }),
    )
  })
})

test('no two of these rules are read as the same text: a rule that was changed is not taken for the one it was', () => {
  const dnat = (more: object) => ({ dnat: { addr: '10.1.1.1', port: 80, ...more } }) as StatementTree
  const mark = (op: string) => ({ match: { op, left: MARK, right: 5 } }) as StatementTree
  const update = (more: object) =>
    ({ set: { op: 'update', elem: { elem: { val: SADDR, timeout: 600 } }, set: '@a', ...more } }) as StatementTree
  const vmap = (...set: readonly (readonly [object | string | number, StatementTree])[]) =>
    ({ vmap: { key: SADDR, data: { set } } }) as StatementTree
  const ct = (more: object) => ({ match: { op: '==', left: { ct: { key: 'ip saddr', ...more } }, right: '10.0.0.1' } })
  const trees: readonly StatementTree[] = [
    ...['==', '!=', '>', '<', '>=', '<='].map(mark),
    ...[{}, { flags: 'random' }, { flags: 'persistent' }, { flags: ['random', 'persistent'] }].map(dnat),
    ...[{ port: undefined }, { port: { range: [80, 90] } }, { port: { range: [80, 91] } }].map(dnat),
    { masquerade: { flags: 'fully-random' } },
    { masquerade: { flags: ['random', 'fully-random'] } },
    { masquerade: { port: { range: [1024, 2048] }, flags: 'fully-random' } } as StatementTree,
    { masquerade: null },
    update({}),
    update({ op: 'add' }),
    update({ stmt: [{ counter: null }] }),
    ...[{}, { dir: 'original' }, { dir: 'reply' }].map(ct),
    vmap(
      [{ prefix: { addr: '10.0.0.0', len: 8 } }, DROP],
      [{ prefix: { addr: '11.0.0.0', len: 8 } }, { accept: null }],
    ),
    vmap(
      [{ prefix: { addr: '10.0.0.0', len: 8 } }, DROP],
      [{ prefix: { addr: '12.0.0.0', len: 8 } }, { accept: null }],
    ),
    vmap(['10.0.0.1', DROP]),
    { vmap: { key: { numgen: { mode: 'inc', mod: 2, offset: 3 } }, data: '@m' } },
    { vmap: { key: { numgen: { mode: 'inc', mod: 2, offset: 0 } }, data: '@m' } },
    { vmap: { key: NUMGEN, data: '@m' } },
    { reject: null },
    { reject: { type: 'tcp reset' } },
    { reject: { type: 'icmp', expr: 'host-unreachable' } },
    ...[DROP, { accept: null }, { return: null }, { jump: { target: 'x' } }, { goto: { target: 'x' } }],
    ...([{ snat: { addr: '10.0.0.1' } }, { notrack: null }, { limit: { rate: 5 } }, {}] as readonly object[]),
    { match: { op: '==', left: { payload: { base: 'ih', offset: 0, len: 8 } as object }, right: 5 } },
  ]
  const texts = trees.map(statement)
  expect(texts.filter((text, i) => texts.indexOf(text) !== i)).toEqual([])
  expect(texts.filter(text => /undefined|\[object/.test(text))).toEqual([])
})

describe('a value', () => {
  test('of a map is a verdict, or what a key leads to', () => {
    expect(valueText(DROP)).toBe('drop')
    expect(valueText({ goto: { target: 'x' } })).toBe('goto x')
    expect(valueText({ concat: ['fd00::1.2.3.4', 80] })).toBe('fd00::102:304 . 80')
    expect(valueText('10.0.0.1')).toBe('10.0.0.1')
    expect(valueText(7)).toBe('7')
  })

  test('that is an address of IPv6 is written without dots, and other text as it is', () => {
    expect(expression('::1.2.3.4')).toBe('::102:304')
    expect(expression('10.0.0.1')).toBe('10.0.0.1')
    expect(expression('a:b.c')).toBe('a:b.c')
    expect(expression({ prefix: { addr: '64:ff9b::1.2.0.0', len: 112 } })).toBe(cidr('64:ff9b::102:0/112'))
  })

  test('that is a protocol has its name where nft has none for it', () => {
    expect([6, 17, 132, '6', 'udp', 1].map(protocolName)).toEqual(['tcp', 'udp', 'sctp', 'tcp', 'udp', '1'])
  })
})

test('a hook is one line', () => {
  expect(hookLine({ type: 'nat', hook: 'output', priority: -100, policy: 'accept' })).toBe(
    'type nat hook output priority -100 ; policy accept',
  )
})
