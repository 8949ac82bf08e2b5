import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { strategicPatched } from '#lab/api-server/requests/writes/patches/strategic.ts'

const container = (name: string, more: object = {}) => ({ name, image: 'x', ...more })
const deployment = (containers: readonly object[], more: object = {}) => ({
  spec: { template: { spec: { containers, ...more } } },
})

describe('a strategic merge patch', () => {
  test('merges items of a list by their key, also in a template, and leaves the others', () => {
    const before = deployment([container('a'), container('b', { env: [{ name: 'E', value: '1' }] })])
    const patch = deployment([{ name: 'b', env: [{ name: 'F', value: '2' }] }, container('c')])
    const env = [
      { name: 'F', value: '2' },
      { name: 'E', value: '1' },
    ]
    const after = deployment([container('a'), container('b', { env }), container('c')])
    expect(strategicPatched('Deployment', before, patch)).toEqual(after)
  })

  test('replaces lists that have no key, and what it gives null goes', () => {
    const before = { spec: { clusterIPs: ['10.0.0.1'], selector: { a: '1', b: '2' } } }
    const patch = { spec: { clusterIPs: ['10.0.0.2'], selector: { a: null, c: '3' } } }
    const after = { spec: { clusterIPs: ['10.0.0.2'], selector: { b: '2', c: '3' } } }
    expect(strategicPatched('Service', before, patch)).toEqual(after)
  })

  test('unites lists of plain values, and takes out what is named', () => {
    const before = { metadata: { finalizers: ['a', 'b'] } }
    const patch = { metadata: { finalizers: ['c', 'a'], '$deleteFromPrimitiveList/finalizers': ['b'] } }
    expect(strategicPatched('Pod', before, patch)).toEqual({ metadata: { finalizers: ['c', 'a'] } })
  })

  test.each([
    ['an item', deployment([{ name: 'a', $patch: 'delete' }]), deployment([container('b')])],
    ['a list', deployment([{ $patch: 'replace' }, container('c')]), deployment([container('c')])],
    ['an object', { spec: { $patch: 'replace', paused: true } }, { spec: { paused: true } }],
  ])('can delete or replace %s', (_what, patch, after) => {
    expect(strategicPatched('Deployment', deployment([container('a'), container('b')]), patch)).toEqual(after)
  })

  test('keeps of an object the fields that it names alone', () => {
    const before = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } }
    const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }
    expect(strategicPatched('Deployment', before, patch)).toEqual({ spec: { strategy: { type: 'Recreate' } } })
  })

  test('orders a list, and what it does not know stays where it was', () => {
    const before = { spec: { ports: [{ port: 1 }, { port: 2 }, { port: 3 }] } }
    const patch = { spec: { '$setElementOrder/ports': [{ port: 3 }, { port: 1 }], ports: [{ port: 1, name: 'x' }] } }
    const { spec } = strategicPatched('Service', before, patch) as typeof before
    expect(spec.ports.map(({ port }) => port)).toEqual([2, 3, 1])
  })

  test('puts what is new in a list where the patch has it, and keeps what it does not name in its order', () => {
    const conditions = (types: string) => ({ status: { conditions: [...types].map(type => ({ type })) } })
    const merged = (before: string, patch: string) => strategicPatched('Node', conditions(before), conditions(patch))
    expect(merged('a', 'b')).toEqual(conditions('ba'))
    expect(merged('abc', 'b')).toEqual(conditions('abc'))
    expect(merged('abc', 'cxa')).toEqual(conditions('bcxa'))
    expect(merged('', 'ba')).toEqual(conditions('ba'))
    expect(merged('ba', '')).toEqual(conditions('ba'))
  })

  test('loses no item of a list, has none twice, and follows the order of the patch', () => {
    const names = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 8 })
    fc.assert(
      fc.property(names, names, (before, patch) => {
        const { spec } = strategicPatched(
          'Pod',
          { spec: { containers: before.map(name => ({ name })) } },
          { spec: { containers: patch.map(name => ({ name })) } },
        ) as { spec: { containers: { name: string }[] } }
        const after = spec.containers.map(({ name }) => name)
        expect(after.toSorted()).toEqual([...new Set([...before, ...patch])].sort())
        expect(after.filter(name => patch.includes(name))).toEqual(patch)
        expect(after.filter(name => !patch.includes(name))).toEqual(before.filter(name => !patch.includes(name)))
      }),
    )
  })

  test('of a keyed list without the key is refused', () => {
    const patch = deployment([{ image: 'y' }])
    expect(() => strategicPatched('Deployment', deployment([container('a')]), patch)).toThrow(/merge key: name/)
  })
})
