import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPort, parseObjectName, parsePortName, portId } from '#values/names.ts'
import { name } from '../support/objects.ts'

describe('a name', () => {
  test.each([
    ['shop', 'cart', 'shop/cart'],
    ['shop', 'cart.v2', 'shop/cart.v2'],
    ['', 'node-1', 'node-1'],
    [undefined, '10.0.0.1.example', '10.0.0.1.example'],
    ['a'.repeat(63), 'b'.repeat(253), `${'a'.repeat(63)}/${'b'.repeat(253)}`],
  ])('%j/%j is %s', (namespace, called, whole) => expect(parseObjectName(namespace, called)).toBe(whole))

  test.each([
    ['shop\n-j ACCEPT', 'x'],
    ['shop', 'a"b'],
    ['shop', 'x\n'],
    ['shop', '..'],
    ['shop', '-x'],
    ['shop', 'x.'],
    ['shop', 'a/b'],
    ['Shop', 'x'],
    ['shop', 'a'.repeat(254)],
    ['a'.repeat(64), 'x'],
    ['a.b', 'x'],
    ['shop', ''],
    ['shop', undefined],
    [null, 'x'],
    [['shop'], 'x'],
    ['shop', ['x']],
  ])('%j/%j is not one', (namespace, called) => expect(parseObjectName(namespace, called)).toBeUndefined())

  test('holds nothing by which a rule, a path or a command could be left, whatever text it was read from', () => {
    fc.assert(
      fc.property(fc.option(fc.string(), { nil: undefined }), fc.string({ unit: 'binary' }), (namespace, called) => {
        expect(parseObjectName(namespace, called) ?? 'none').toMatch(/^[a-z0-9./-]+$/)
        expect(parsePortName(called) ?? 'none').toMatch(/^[a-z0-9-]*$/)
      }),
    )
  })

  test('of a port is empty or a label', () => {
    expect(parsePortName(undefined)).toBe('')
    expect(parsePortName('http')).toBe('http')
    expect(parsePortName('a'.repeat(63))).toBe('a'.repeat(63))
    for (const bad of ['a b', 'é', 'a'.repeat(64), 'UP', 'http\n', '-a', 'a-', 'a.b', 5, null]) {
      expect(parsePortName(bad)).toBeUndefined()
    }
  })

  test('of a service port has a colon only where the port has a name', () => {
    expect(portId(name('shop/cart'), parsePortName('http')!)).toBe('shop/cart:http')
    expect(portId(name('shop/cart'), parsePortName('')!)).toBe('shop/cart')
  })
})

test('a port number is one that a packet can carry', () => {
  expect([1, 80, 65535].every(isPort)).toBe(true)
  expect([0, -1, 65536, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '80', null, undefined].some(isPort)).toBe(false)
})
