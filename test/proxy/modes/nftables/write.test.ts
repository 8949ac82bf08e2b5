import { describe, expect, test } from 'vitest'
import type { Plan, Ruleset } from '#proxy/modes/mode.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import type { ChainRemoval } from '#proxy/modes/nftables/write.ts'
import { applied, diff, EMPTY } from '#proxy/plan/diff.ts'
import { endpoint, service, slice } from '../../../support/objects.ts'
import { ruleset, unit, unitText } from '../../../support/units.ts'
import { bookOf, modeOf } from './scene.ts'

const NOTHING: Plan = { add: new Map(), change: new Map(), before: new Map(), remove: new Set() }

function document(plan: Partial<Plan>, chainRemoval: ChainRemoval = 'at-once'): readonly string[] {
  const commands = nftables({ family: 'ipv4', chainRemoval }).write({ ...NOTHING, ...plan })
  return commands.flatMap(({ argv, input }) => {
    expect(argv).toEqual(['nft', '-f', '-'])
    return input!.trimEnd().split('\n')
  })
}

const objects = (n: number) => [
  service('shop/cart', ['10.96.0.10']),
  slice(
    'shop/cart-1',
    'shop/cart',
    Array.from({ length: n }, (_, i) => endpoint(`10.244.2.${i + 2}`)),
  ),
]
const rules = (n: number): Ruleset => bookOf(objects(n)).rules

test('nothing to do is nothing to run', () => expect(modeOf('ipv4').write(NOTHING)).toEqual([]))

test('the same plan is the same document, whatever order it was made in', () => {
  const all = rules(3)
  const turned = new Map([...all].toReversed())
  expect(document({ add: turned })).toEqual(document({ add: all }))
})

describe('one transaction', () => {
  const lines = document({ add: rules(3) })
  const first = (pattern: RegExp): number => lines.findIndex(line => pattern.test(line))
  const last = (pattern: RegExp): number => lines.findLastIndex(line => pattern.test(line))

  test('starts with the table, then what has a name, then rules, then elements', () => {
    expect(lines[0]).toBe('add table ip kube-proxy')
    expect(last(/^add (?:set|map) /)).toBeLessThan(first(/^add chain /))
    expect(last(/^(?:add|flush) chain /)).toBeLessThan(first(/^add rule /))
    expect(last(/^add rule /)).toBeLessThan(first(/^add element /))
  })

  test('declares base chains with their hooks, and empties any other chain that may stand there already', () => {
    expect(lines).toContain(
      'add chain ip kube-proxy nat-prerouting { type nat hook prerouting priority -100 ; policy accept ; }',
    )
    expect(lines[lines.indexOf('add chain ip kube-proxy services') + 1]).toBe('flush chain ip kube-proxy services')
  })

  test('adds a thousand elements a line', () => {
    const add = new Map(
      Array.from({ length: 2500 }, (_, i) => [unit(`element cluster-ips 10.96.${i >> 8}.${i & 255}`), '']),
    )
    const statements = document({ add })
    expect(statements.map(line => line.split(' , ').length)).toEqual([1000, 1000, 500])
    expect(statements[0]).toMatch(/^add element ip kube-proxy cluster-ips \{ 10\.96\.0\.0 , 10\.96\.0\.1 , /)
  })

  test('is in the words of the other family for the other family', () => {
    const [command] = modeOf('ipv6').write({ ...NOTHING, add: ruleset({ 'chain services': '' }) })
    expect(command!.input).toBe('add chain ip6 kube-proxy services\nflush chain ip6 kube-proxy services\n')
  })
})

describe('a change of endpoints', () => {
  const from = (before: number, after: number): readonly string[] => document(diff(rules(before), rules(after)))

  test('to another address is one element, deleted and added', () => {
    const moved = bookOf([
      service('shop/cart', ['10.96.0.10']),
      slice('shop/cart-1', 'shop/cart', [endpoint('10.244.2.2'), endpoint('10.244.2.9')]),
    ]).rules
    expect(document(diff(rules(2), moved))).toEqual([
      'delete element ip kube-proxy endpoints-tcp { 10.96.0.10 . 80 . 1 }',
      'add element ip kube-proxy endpoints-tcp { 10.96.0.10 . 80 . 1 : 10.244.2.9 . 8080 }',
    ])
  })

  test('to fewer of them leads to the smaller balancer before the larger one goes', () => {
    expect(from(3, 2)).toEqual([
      'add chain ip kube-proxy cluster-ip-lb-tcp-2',
      'flush chain ip kube-proxy cluster-ip-lb-tcp-2',
      'add rule ip kube-proxy cluster-ip-lb-tcp-2 ip saddr != 10.244.0.0/16 meta mark set meta mark | 0x4000',
      'add rule ip kube-proxy cluster-ip-lb-tcp-2 dnat ip to ip daddr . tcp dport . numgen random mod 2 map @endpoints-tcp',
      'delete element ip kube-proxy service-ips { 10.96.0.10 . tcp . 80 }',
      'delete element ip kube-proxy endpoints-tcp { 10.96.0.10 . 80 . 2 }',
      'add element ip kube-proxy service-ips { 10.96.0.10 . tcp . 80 comment "shop/cart" : goto cluster-ip-lb-tcp-2 }',
      'flush chain ip kube-proxy cluster-ip-lb-tcp-3',
      'delete chain ip kube-proxy cluster-ip-lb-tcp-3',
    ])
  })

  test('is elements alone where both balancers are needed anyway', () => {
    const others = [2, 3].flatMap(n => [
      service(`other/n${n}`, [`10.96.1.${n}`]),
      slice(
        `other/n${n}-1`,
        `other/n${n}`,
        Array.from({ length: n }, (_, i) => endpoint(`10.244.3.${i + 2}`)),
      ),
    ])
    const lines = document(diff(bookOf([...objects(3), ...others]).rules, bookOf([...objects(2), ...others]).rules))
    expect(lines.every(line => /^(?:add|delete) element /.test(line))).toBe(true)
    expect(lines).toHaveLength(3)
  })
})

describe('a chain that is not needed any more', () => {
  const change = diff(rules(3), rules(2))

  test('is only emptied on a kernel that holds on to it for a moment', () => {
    const lines = document(change, 'when-forgotten')
    expect(lines.at(-1)).toBe('flush chain ip kube-proxy cluster-ip-lb-tcp-3')
    expect(lines.filter(line => line.startsWith('delete chain'))).toEqual([])
  })

  test('is deleted there by a plan that does nothing but delete chains', () => {
    const found = applied(new Map(rules(2)), { ...NOTHING, add: ruleset({ 'chain cluster-ip-lb-tcp-3': '' }) })
    expect(document(diff(found, rules(2)), 'when-forgotten')).toEqual([
      'flush chain ip kube-proxy cluster-ip-lb-tcp-3',
      'delete chain ip kube-proxy cluster-ip-lb-tcp-3',
    ])
  })

  test('is deleted after the chains that led to it are empty', () => {
    const sticky = bookOf([
      service('shop/cart', ['10.96.0.10'], { stickySeconds: 60 }),
      slice('shop/cart-1', 'shop/cart', [endpoint('10.244.2.2')]),
    ]).rules
    const lines = document(diff(sticky, bookOf([]).rules))
    expect(lines.findLastIndex(line => line.startsWith('flush chain'))).toBeLessThan(
      lines.findIndex(line => line.startsWith('delete chain')),
    )
    expect(lines.at(-1)).toMatch(/^delete set ip kube-proxy affinity-/)
  })
})

test('a base chain that changed is made anew, for its hook cannot be changed where it stands', () => {
  const change = ruleset({ 'chain nat-output': 'type nat hook output priority -100 ; policy accept\njump services' })
  expect(document({ change })).toEqual([
    'delete chain ip kube-proxy nat-output',
    'add chain ip kube-proxy nat-output { type nat hook output priority -100 ; policy accept ; }',
    'add rule ip kube-proxy nat-output jump services',
  ])
})

test('a foreign table is replaced whole, in the same transaction', () => {
  const lines = document(diff(ruleset({ 'table kube-proxy': 'not ours' }), rules(1)))
  expect(lines.slice(0, 2)).toEqual(['delete table ip kube-proxy', 'add table ip kube-proxy'])
  expect(lines.filter(line => line.startsWith('add map'))).toHaveLength(11)
})

test('going away altogether is one line', () =>
  expect(document(diff(rules(3), EMPTY))).toEqual(['delete table ip kube-proxy']))

describe('very many endpoints', () => {
  const many = new Map([
    ...rules(1),
    ...Array.from(
      { length: 45_000 },
      (_, i) => [unit(`element endpoints-tcp 10.96.0.10 . 80 . ${i + 1}`), ': 10.1.1.1 . 80'] as const,
    ),
  ])

  test('go ahead in pieces, into maps that stand, before anything leads to them', () => {
    const inputs = modeOf('ipv4')
      .write(diff(EMPTY, many))
      .map(({ input }) => input!.trimEnd().split('\n'))
    expect(inputs).toHaveLength(8)
    const kinds = inputs.map(lines => [...new Set(lines.map(line => line.split(' ').slice(0, 2).join(' ')))])
    expect(kinds.slice(0, 7)).toEqual([['add table', 'add map'], ...Array(6).fill(['add element'])])
    expect(
      inputs
        .slice(1, 7)
        .flat()
        .every(line => line.includes(' endpoints-tcp ')),
    ).toBe(true)
    expect(inputs[7]!.some(line => line.includes(' endpoints-tcp {'))).toBe(false)
    expect(
      inputs
        .flat()
        .filter(line => line.startsWith('add element'))
        .flatMap(line => line.split(' , ')),
    ).toHaveLength([...many.keys()].filter(unit => unitText(unit).startsWith('element ')).length)
  })

  test('go before very many Services, and those before what refuses other ports of their addresses', () => {
    const services = Array.from({ length: 9000 }, (_, i) => [
      [unit(`element service-ips 10.96.1.1 . tcp . ${i + 1}`), 'comment "shop/cart" : goto lb'] as const,
      [unit(`element cluster-ips 10.97.0.${i}`), ''] as const,
    ])
    const commands = modeOf('ipv4').write(diff(EMPTY, new Map([...many, ...services.flat()])))
    const sets = commands.map(({ input }) => [...new Set(input!.match(/^add (?:element \S+ \S+ \S+|rule)/gm))])
    const of = (set: string): readonly string[] => [`add element ip kube-proxy ${set}`]
    const last = [of('service-ips'), of('service-ips'), of('cluster-ips'), of('cluster-ips')]
    expect(sets.slice(8)).toEqual(last)
    expect(sets[7]).toContain('add rule')
    expect(sets[7]).not.toContain(of('service-ips')[0])
  })

  test('wait where a foreign table has to go first', () =>
    expect(modeOf('ipv4').write(diff(ruleset({ 'table kube-proxy': 'not ours' }), many))).toHaveLength(1))
})
