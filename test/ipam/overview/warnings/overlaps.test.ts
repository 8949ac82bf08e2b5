import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { overlapWarnings } from '#ipam/overview/warnings/overlaps.ts'
import { addressFromNumber } from '#values/address.ts'
import { type Cidr, overlaps, prefixOf } from '#values/cidr.ts'
import { cidr, type FactsInWords, facts, ip, node } from '../facts.ts'

const warnings = (words: FactsInWords) => overlapWarnings(facts(words))
const ring = (range: string) => ({ range: cidr(range), tokens: [], peers: [], requests: [], revision: 1 })

describe('a warning', () => {
  test.each<[string, FactsInWords, readonly string[]]>([
    ['nothing', { nodes: [node('a', ['10.244.0.0/24'])] }, []],
    [
      'pods and Services',
      { clusterCIDRs: ['10.96.128.0/17'] },
      ["the cluster's range 10.96.128.0/17 overlaps the range of Services 10.96.0.0/16"],
    ],
    [
      'two nodes',
      { nodes: [node('a', ['10.244.0.0/23']), node('b', ['10.244.1.0/24']), node('c', ['10.244.2.0/24'])] },
      ["node b's 10.244.1.0/24 overlaps node a's 10.244.0.0/23: pods of both have the same addresses"],
    ],
    [
      'a node and Services, also where no range of the cluster is known',
      { clusterCIDRs: [], nodes: [node('a', ['10.96.7.0/24'])] },
      ["node a's 10.96.7.0/24 overlaps the range of Services 10.96.0.0/16"],
    ],
    [
      'a node outside',
      { nodes: [node('a', ['10.9.0.0/24', 'fd00::/64'])] },
      ["node a's 10.9.0.0/24 is not in the cluster's 10.244.0.0/16"],
    ],
    [
      'a node that has more than the cluster',
      { nodes: [node('a', ['10.244.0.0/15'])] },
      ["node a's 10.244.0.0/15 is not in the cluster's 10.244.0.0/16"],
    ],
    [
      "the nodes' own network",
      { nodes: [node('a', ['10.244.0.0/24'], { addresses: [ip('10.244.7.7'), ip('192.0.2.1')] })] },
      ["the cluster's range 10.244.0.0/16 has addresses of nodes (a 10.244.7.7): they are no longer reached from pods"],
    ],
    [
      'a route of this host, but not those to nodes',
      {
        nodes: [node('a', ['10.244.0.0/24'])],
        hostRoutes: ['10.0.0.0/8', '10.244.0.0/24', '10.244.0.128/25', '192.168.0.0/16'],
      },
      [
        "the cluster's range 10.244.0.0/16 overlaps a route of this host: 10.0.0.0/8",
        'the range of Services 10.96.0.0/16 overlaps a route of this host: 10.0.0.0/8',
      ],
    ],
    [
      'a route of this host that begins as the range of a node does, and leads to more',
      { nodes: [node('a', ['10.244.0.0/24'])], hostRoutes: ['10.244.0.0/16', '10.244.0.0/23'] },
      ["the cluster's range 10.244.0.0/16 overlaps routes of this host: 10.244.0.0/16, 10.244.0.0/23"],
    ],
    [
      'the ring and Services',
      { ring: ring('10.96.0.0/12') },
      ["the ring's range 10.96.0.0/12 overlaps the range of Services 10.96.0.0/16"],
    ],
    [
      "the ring and the cluster's range, which may be one",
      { ring: ring('10.244.0.0/16'), clusterCIDRs: ['10.244.0.0/16', '10.244.128.0/17'] },
      ["the ring's range 10.244.0.0/16 overlaps the cluster's range 10.244.128.0/17"],
    ],
  ])('of %s', (_, words, expected) => {
    expect(warnings(words)).toEqual(expected)
  })

  test('names three nodes, and how many more there are', () => {
    const nodes = ['1', '2', '3', '4', '5'].map(n => node(n, [], { addresses: [ip(`10.244.0.${n}`)] }))
    const named = (count: number) => /\((.*)\)/.exec(warnings({ nodes: nodes.slice(0, count) })[0]!)![1]
    expect(named(3)).toBe('1 10.244.0.1, 2 10.244.0.2, 3 10.244.0.3')
    expect(named(5)).toBe('1 10.244.0.1, 2 10.244.0.2, 3 10.244.0.3 and 2 more')
  })
})

test('each range of a node that overlaps another is named once, in whichever order nodes are listed', () => {
  const part = fc
    .record({ at: fc.nat(31), bits: fc.integer({ min: 21, max: 27 }), isSix: fc.boolean() })
    .map(({ at, bits, isSix }) => {
      const [base, shift] = isSix ? [0xfd00n << 112n, 101n] : [0x0af40000n, 5n]
      return prefixOf(addressFromNumber(isSix ? 'ipv6' : 'ipv4', base + (BigInt(at) << shift)), bits)
    })
  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), ranges => {
      const nodes = ranges.map((range, i) => node(`n${i}`, [range]))
      const found = (all: typeof nodes) =>
        overlapWarnings(facts({ nodes: all, clusterCIDRs: [], serviceCIDRs: [] }))
          .map(line => / (\S+) overlaps node \S+ (\S+):/.exec(line)!.slice(1) as [Cidr, Cidr])
          .map(pair => pair.toSorted().join(' '))
          .toSorted()
      const pairs = found(nodes)
      expect(found(nodes.toReversed())).toEqual(pairs)
      for (const pair of pairs) expect(overlaps(...(pair.split(' ') as [Cidr, Cidr]))).toBe(true)
      // Those left, once each that is named behind another is taken away, have nothing in common.
      const lines = overlapWarnings(facts({ nodes, clusterCIDRs: [], serviceCIDRs: [] }))
      const named = new Set(lines.map(line => /^node (\S+)'s/.exec(line)![1]))
      const rest = nodes.filter(({ name }) => !named.has(name)).flatMap(({ podCIDRs }) => podCIDRs)
      for (const [i, one] of rest.entries()) expect(rest.slice(i + 1).filter(other => overlaps(one, other))).toEqual([])
      expect(named.size).toBe(lines.length)
    }),
  )
})
