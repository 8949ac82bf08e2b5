import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byKind } from '#proxy/modes/iptables/names.ts'
import { jumpOrder } from '#proxy/modes/netfilter/chain-order.ts'

const chain = (name: string, ...targets: readonly string[]): readonly [string, string] => [
  name,
  targets.map(target => `-A ${name} -m comment --comment "shop/cart:http" -j ${target}`).join('\n'),
]

test('the chains of a Service stand together, in the order in which a packet meets them', () => {
  const given = new Map([
    chain('KUBE-SEP-B', 'KUBE-MARK-MASQ', 'DNAT --to-destination 10.0.0.2:80'),
    chain('KUBE-SVC-1', 'KUBE-SEP-C', 'KUBE-SEP-A'),
    chain('KUBE-SERVICES', 'KUBE-SVC-2', 'KUBE-SVC-1'),
    chain('KUBE-SEP-A', 'KUBE-MARK-MASQ'),
    chain('KUBE-SVC-2', 'KUBE-SEP-D', 'KUBE-SEP-B'),
    chain('KUBE-SEP-D', 'KUBE-MARK-MASQ'),
    chain('KUBE-SEP-C', 'KUBE-MARK-MASQ'),
    chain('KUBE-MARK-MASQ', 'MARK --set-xmark 0x4000/0x4000'),
  ])
  expect(jumpOrder(given)).toEqual([
    ...['KUBE-MARK-MASQ', 'KUBE-SEP-D', 'KUBE-SEP-B', 'KUBE-SVC-2'],
    ...['KUBE-SEP-C', 'KUBE-SEP-A', 'KUBE-SVC-1', 'KUBE-SERVICES'],
  ])
})

test('chains that no jump connects stand by their names, or as a mode has them', () => {
  const named = (kind: string, end: string): string => `KUBE-${kind}-${end.padStart(16, 'A')}`
  const names = ['KUBE-SERVICES', named('SVC', '2'), named('SEP', '3'), named('SEP', '2'), 'KUBE-MARK-MASQ']
  const given = new Map([...names, named('EXT', '2')].map(name => chain(name, 'RETURN')))
  expect(jumpOrder(given)).toEqual([...given.keys()].sort())
  expect(jumpOrder(given, byKind)).toEqual([
    ...['KUBE-MARK-MASQ', named('SEP', '2'), named('SEP', '3'), named('SVC', '2')],
    ...[named('EXT', '2'), 'KUBE-SERVICES'],
  ])
})

test('chains that jump in a circle stand once all the same', () => {
  const given = new Map([
    chain('KUBE-SVC-1', 'KUBE-SVC-1'),
    chain('KUBE-SVC-2', 'KUBE-SVC-3'),
    chain('KUBE-SVC-3', 'KUBE-SVC-2'),
    chain('KUBE-SERVICES', 'KUBE-SVC-1'),
  ])
  expect(jumpOrder(given)).toEqual(['KUBE-SVC-1', 'KUBE-SERVICES', 'KUBE-SVC-3', 'KUBE-SVC-2'])
})

test('a chain stands after all that it jumps to, each once, in whatever order they are given', () => {
  const graph = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 80 })
  fc.assert(
    fc.property(graph, fc.integer(), (edges, seed) => {
      const targets = new Map<number, number[]>(Array.from({ length: 31 }, (_, i) => [i, []]))
      for (const [a, b] of edges) if (a !== b) targets.get(Math.max(a, b))!.push(Math.min(a, b))
      const all = [...targets].map(([i, to]) => chain(`KUBE-SVC-${i}`, ...to.map(n => `KUBE-SVC-${n}`)))
      const order = jumpOrder(new Map(all))
      expect(jumpOrder(new Map(all.toSorted(() => seed % 2 || -1)))).toEqual(order)
      expect(order.toSorted()).toEqual(all.map(([name]) => name).toSorted())
      for (const [i, to] of targets) {
        for (const n of to) expect(order.indexOf(`KUBE-SVC-${n}`)).toBeLessThan(order.indexOf(`KUBE-SVC-${i}`))
      }
    }),
  )
})
