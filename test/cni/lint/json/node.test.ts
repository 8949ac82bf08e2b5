import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isOn, type JsonNode, memberOf, nodeAt, plainOf, textAt } from '#cni/lint/json/node.ts'
import { readTolerantly } from '#cni/lint/json/reader.ts'

const read = (text: string): JsonNode => readTolerantly(text).root!

test('a path leads to where its value stands, or as near to it as there is one', () => {
  const text = '{"plugins": [{"ipam": {"subnet": "x"}}]}'
  const [root, subnet] = [read(text), 'plugins[0].ipam.subnet']
  expect(nodeAt(root, subnet)).toEqual({ at: text.indexOf('"x"'), path: subnet, isExact: true })
  const ipam = { at: text.indexOf('{"subnet'), path: 'plugins[0].ipam', isExact: false }
  for (const path of ['plugins[0].ipam.ranges[0]', 'plugins[0].ipam[0]']) expect(nodeAt(root, path)).toEqual(ipam)
  expect(nodeAt(root, 'plugins[1]')).toEqual({ at: text.indexOf('[{'), path: 'plugins', isExact: false })
  expect(nodeAt(root, '')).toEqual({ at: 0, path: '', isExact: true })
})

test('a path leads to a key in other letters where no key is the same', () => {
  const text = '{"MTU": 1, "mtu": 2, "IPAM": {"Subnet": 3}}'
  expect(nodeAt(read(text), 'mtu')).toMatchObject({ at: text.indexOf('2'), path: 'mtu' })
  expect(nodeAt(read(text), 'ipam.subnet')).toEqual({ at: text.indexOf('3'), path: 'IPAM.Subnet', isExact: true })
})

test('the path of every value leads to it', () => {
  const key = fc.constantFrom('a', 'b', 'bb', 'plugins')
  const { value } = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.integer(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3 }),
    ),
  }))
  const paths = (json: unknown, path: string): [string, unknown][] => {
    const below = Array.isArray(json)
      ? json.flatMap((item, i) => paths(item, `${path}[${i}]`))
      : Object.entries(json as object).flatMap(([name, item]) => paths(item, path === '' ? name : `${path}.${name}`))
    return [[path, json], ...below]
  }
  fc.assert(
    fc.property(value, fc.constantFrom(0, 1), (json, indent) => {
      const text = JSON.stringify(json, undefined, indent)
      for (const [path, part] of paths(json, '')) {
        const { at, isExact } = nodeAt(read(text), path)
        expect(isExact).toBe(true)
        expect(plainOf(read(text.slice(at)))).toEqual(part)
      }
    }),
  )
})

test('of several members with one key the last one counts, wherever it is asked for', () => {
  const text = '{"a": "x", "b": false, "a": "y", "b": true, "__proto__": {"c": 1}}'
  const root = read(text)
  expect([textAt(root, 'a'), isOn(root, 'b'), memberOf(root, 'a')!.keyAt]).toEqual(['y', true, text.lastIndexOf('"a"')])
  expect(plainOf(root)).toEqual(JSON.parse(text))
  expect(Object.getPrototypeOf(plainOf(root))).toBe(Object.prototype)
  expect([textAt(root, 'toString'), textAt(root, 'b'), isOn(root, 'a'), textAt(undefined, 'a')]).toEqual([
    undefined,
    undefined,
    false,
    undefined,
  ])
})
