import { describe, expect, test } from 'vitest'
import {
  itemsOf,
  mustBeItems,
  nameAt,
  nameOf,
  Problems,
  protocolOf,
  shown,
  textOf,
  timeOf,
  uidOf,
  unusable,
  usable,
} from '#kubernetes/decode/checks.ts'
import { unproven } from '#kubernetes/decode/fields.ts'
import { node } from '../../support/objects.ts'

describe('a value that is shown', () => {
  test.each([
    ['plain', '"plain"'],
    ['a\nb"c\\', '"a\\nb\\"c\\\\"'],
    ['１０．0', '"\\uff11\\uff10\\uff0e0"'],
    ['\u2028\u202e\u007f\u0000😀', '"\\u2028\\u202e\\u007f\\u0000\\ud83d\\ude00"'],
    ['x'.repeat(81), `"${'x'.repeat(80)}..."`],
    [Number.NaN, 'NaN'],
    [5n, '5'],
    [false, 'false'],
    [undefined, 'nothing'],
    [null, 'nothing'],
    [['a'], 'a list'],
    [{ a: 1 }, 'an object'],
    [Symbol('a\nb'), 'an object'],
  ])('as %#: %s', (value, text) => {
    expect(shown(value)).toBe(text)
  })
})

describe('what is wrong with an object', () => {
  test('is twenty lines at most, and how many more there would be', () => {
    const problems = new Problems()
    expect([problems.lines, problems.warnings, problems.fatal]).toEqual([[], [], false])
    for (let i = 0; i < 10_000; i++) problems.add(`spec.ports[${i}]`, i, 'is not a port')
    expect(problems.lines).toHaveLength(21)
    expect(problems.lines.slice(-2)).toEqual(['spec.ports[19]: 19 is not a port', 'and 9980 more'])
  })

  test('makes it unusable only where it is said so, also behind the twentieth line', () => {
    const problems = new Problems()
    for (let i = 0; i < 30; i++) problems.add('a', i, 'is wrong')
    expect(problems.fatal).toBe(false)
    problems.fail('metadata.name', 5, 'is not the name of a Service')
    expect(problems.fatal).toBe(true)
    expect(problems.lines.at(-1)).toBe('and 11 more')
  })

  test('is apart from what was kept as it is', () => {
    const problems = new Problems()
    problems.warn('spec.clusterIP', '010.0.0.1', '10.0.0.1')
    expect(problems.warnings).toEqual(['spec.clusterIP: "010.0.0.1" has leading zeros; it is read as 10.0.0.1'])
    expect(usable(node('n1'), problems)).toEqual({
      ...{ ok: true, object: node('n1'), problems: [] },
      warnings: problems.warnings,
    })
  })
})

describe('a list', () => {
  const list = (value: unknown) => unproven<readonly string[]>(value)

  test('is its items, and none where it is absent or null', () => {
    const problems = new Problems()
    for (const read of [itemsOf, mustBeItems]) {
      expect([['a'], [], undefined, null].map(value => read(list(value), 'x', problems))).toEqual([['a'], [], [], []])
    }
    expect(problems.lines).toEqual([])
  })

  test('that is something else has none, and makes an object unusable that makes no sense without', () => {
    const problems = new Problems()
    expect(itemsOf(list('abc'), 'spec.externalIPs', problems)).toEqual([])
    expect(problems.fatal).toBe(false)
    expect(mustBeItems(list({ length: 1 }), 'spec.ports', problems)).toEqual([])
    expect(problems.fatal).toBe(true)
    expect(problems.lines).toEqual(['spec.externalIPs: "abc" is not a list', 'spec.ports: an object is not a list'])
  })
})

describe('a value', () => {
  test('is a text where it is one and not empty', () => {
    expect(['a', ' ', '', 5, null, ['a']].map(textOf)).toEqual(['a', ' ', undefined, undefined, undefined, undefined])
  })

  test('is a protocol in capitals alone; an absent one is TCP', () => {
    expect([undefined, null, 'TCP', 'UDP', 'SCTP'].map(protocolOf)).toEqual(['tcp', 'tcp', 'tcp', 'udp', 'sctp'])
    const none = ['tcp', '', 'TCP\n', 'toString', '__proto__', 6, ['TCP']]
    expect(none.map(protocolOf)).toEqual(none.map(() => undefined))
  })

  test('is a time as text or Date', () => {
    const ms = Date.UTC(2026, 10, 20, 10)
    expect([timeOf('2026-11-20T10:00:00Z'), timeOf(new Date(ms))]).toEqual([ms, ms])
    const none = ['', 'soon', ms, null, new Date(Number.NaN), ['2026-11-20T10:00:00Z']]
    expect(none.map(timeOf)).toEqual(none.map(() => undefined))
  })

  test('is a uid where it is a plain word of some length', () => {
    const uid = '5f1d3b2e-0000-4000-8000-000000000001'
    expect(uidOf({ uid })).toBe(uid)
    expect(['', 'a b', 'a\n', 'a"', 'a'.repeat(129), 5, null].map(bad => uidOf({ uid: bad }))).toEqual(
      Array(7).fill(''),
    )
  })
})

describe('the name of an object', () => {
  test('has a namespace where its kind has them, `default` where none is named', () => {
    const metadata = { namespace: 'shop', name: 'cart' }
    expect(nameOf('Service', metadata)).toBe('shop/cart')
    expect(nameOf('Node', metadata)).toBe('cart')
    expect(nameOf('ServiceCIDR', metadata)).toBe('cart')
    for (const namespace of [undefined, null, '']) {
      expect(nameOf('EndpointSlice', { namespace, name: 'cart-1' })).toBe('default/cart-1')
    }
  })

  test('of a Service is one label, of other kinds several', () => {
    expect(nameOf('Service', { name: 'a.b' })).toBeUndefined()
    expect(nameOf('Service', { name: '' })).toBeUndefined()
    expect(nameOf('EndpointSlice', { name: 'a.b' })).toBe('default/a.b')
  })

  test.each([
    ['Service', { name: 'cart', namespace: 'a b' }, 'metadata.namespace: "a b" is not a namespace'],
    ['Service', { name: 'a b', namespace: 'shop' }, 'metadata.name: "a b" is not the name of a Service'],
    ['EndpointSlice', { name: 5 }, 'metadata.name: 5 is not the name of an EndpointSlice'],
    ['Node', {}, 'metadata.name: nothing is not the name of a Node'],
  ] as const)('that is none makes a %s unusable: %j', (kind, metadata, line) => {
    const problems = new Problems()
    expect(nameAt(kind, metadata, problems)).toBeUndefined()
    expect([problems.fatal, problems.lines]).toEqual([true, [line]])
    const { name: _, ...rest } = metadata as { name?: unknown }
    expect(unusable(kind, metadata, problems)).toMatchObject({ ok: false, name: undefined, problems: [line] })
    expect(nameAt(kind, { ...rest, namespace: 'shop', name: 'fine' }, new Problems())).toBeDefined()
  })

  test('stands harmless in the place of one, with its namespace', () => {
    const label = (kind: string, metadata: object) => {
      const decoded = unusable(kind, metadata, new Problems())
      return decoded.ok ? undefined : decoded.label
    }
    expect(label('Service', { namespace: 'shop', name: 'cart' })).toBe('shop/cart')
    expect(label('Pod', { namespace: 'shop', name: 'cart' })).toBe('"shop"/"cart"')
    expect(label('Service', { namespace: 'a\nb', name: 'x' })).toBe('"a\\nb"/"x"')
    expect(label('Service', {})).toBe('nothing')
  })
})
