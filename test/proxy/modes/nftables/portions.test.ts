import { expect, test } from 'vitest'
import type { Plan, Unit } from '#proxy/modes/mode.ts'
import { portions } from '#proxy/modes/nftables/portions.ts'
import { unit, unitSet, unitText } from '../../../support/units.ts'

function plan(counts: { readonly endpoints: number; readonly services?: number }): Plan {
  const { endpoints, services = 0 } = counts
  const named = (length: number, name: (i: number) => string) => Array.from({ length }, (_, i) => unit(name(i)))
  const add = [
    ...['table kube-proxy', 'map endpoints-tcp', 'set hairpin', 'chain services'].map(unit),
    ...named(endpoints, i => `element ${i % 2 === 0 ? 'endpoints-tcp' : 'nodeport-endpoints-udp'} ${i}`),
    ...named(services, i => `element service-ips ${i}`),
    ...named(services, i => `element cluster-ips ${i}`),
    ...named(10, i => `element hairpin ${i}`),
  ]
  return {
    add: new Map(add.map(one => [one, ''])),
    change: new Map([[unit('chain masquerading'), '']]),
    before: new Map(),
    remove: unitSet('chain gone'),
  }
}

const kindsOf = (all: Iterable<Plan>) =>
  [...all].map(({ add }) => [...new Set([...add.keys()].map(one => unitText(one).split(' ').slice(0, 2).join(' ')))])

test('a cluster of everyday size is one transaction', () => {
  for (const counts of [{ endpoints: 100 }, { endpoints: 20_000 }, { endpoints: 10, services: 15_000 }]) {
    const whole = plan(counts)
    expect([...portions(whole)]).toEqual([whole])
  }
})

test('very many endpoints go ahead, into maps that stand, and all else comes after them', () => {
  const kinds = kindsOf(portions(plan({ endpoints: 30_000, services: 100 })))
  expect(kinds).toHaveLength(6)
  expect(kinds[0]).toEqual(['table kube-proxy', 'map endpoints-tcp'])
  for (const piece of kinds.slice(1, 5))
    expect(piece).toEqual(['element endpoints-tcp', 'element nodeport-endpoints-udp'])
  expect(kinds[5]).toEqual([
    'set hairpin',
    'chain services',
    'element service-ips',
    'element cluster-ips',
    'element hairpin',
  ])
})

test('very many Services come last, and what refuses other ports of their addresses after them', () => {
  const kinds = kindsOf(portions(plan({ endpoints: 30_000, services: 9000 })))
  expect(kinds.slice(5)).toEqual([
    ['set hairpin', 'chain services', 'element hairpin'],
    ...Array(2).fill(['element service-ips']),
    ...Array(2).fill(['element cluster-ips']),
  ])
})

test('together they are the plan: each unit is added once, and what changes or goes does so in one of them', () => {
  const whole = plan({ endpoints: 30_000, services: 9000 })
  const all = [...portions(whole)]
  const added = all.flatMap(({ add }) => [...add.keys()])
  expect(added).toHaveLength(whole.add.size)
  expect(new Set<Unit>(added)).toEqual(new Set(whole.add.keys()))
  expect(all.filter(({ change, remove }) => change.size + remove.size > 0)).toHaveLength(1)
})

test('a table that is replaced is one transaction, however large', () => {
  const whole = plan({ endpoints: 30_000 })
  const replaced = { ...whole, change: new Map([[unit('table kube-proxy'), '']]) }
  expect([...portions(replaced)]).toEqual([replaced])
})
