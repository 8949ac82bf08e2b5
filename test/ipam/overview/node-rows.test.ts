import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeMaskOf, nodeRows, usableOf } from '#ipam/overview/node-rows.ts'
import type { RangeRow } from '#ipam/overview/range-rows.ts'
import { addressFromNumber } from '#values/address.ts'
import { prefixOf } from '#values/cidr.ts'
import { cidr, DAY, type FactsInWords, facts, NOW, node } from './facts.ts'

const text = ({ kind, name, range, size, used, free, largestFree }: RangeRow) =>
  `${kind} ${name} ${range} ${size} ${used} ${free} ${largestFree}`
const rows = (words: FactsInWords) => nodeRows(facts(words), NOW).map(text)

/** The part of 10.244.0.0 that begins with that block of 16 addresses, or fewer. */
const part = fc
  .record({ block: fc.nat(15), bits: fc.integer({ min: 26, max: 30 }) })
  .map(({ block, bits }) => prefixOf(addressFromNumber('ipv4', 0x0af40000n + BigInt(block) * 16n), bits))

describe('a range of the cluster', () => {
  test('has as many parts for nodes as are neither theirs nor of Services, whatever their sizes', () => {
    const ranges = fc.array(part, { maxLength: 6 })
    fc.assert(
      fc.property(ranges, fc.array(part, { maxLength: 2 }), (held, services) => {
        const words = {
          nodes: held.map((range, i) => node(`n${i}`, [range])),
          ...{ clusterCIDRs: ['10.244.0.0/24'], serviceCIDRs: services, nodeMask: { ipv4: 28 } },
        }
        const blocks = (range: string) => {
          const [ip, bits] = [range.split('/')[0]!, Number(range.split('/')[1])]
          const first = Number(ip.split('.')[3])
          const last = first + 2 ** (32 - bits) - 1
          return Array.from({ length: (last >> 4) - (first >> 4) + 1 }, (_, i) => (first >> 4) + i)
        }
        const taken = new Set([...held, ...services].flatMap(blocks))
        const [cluster, ...nodes] = nodeRows(facts(words), NOW)
        expect([cluster!.size, cluster!.used, cluster!.free]).toEqual([
          ...[16n, BigInt(taken.size), BigInt(16 - taken.size)],
        ])
        // The largest free one is free as a whole, and none is that is twice as large.
        const largest = [16, 8, 4, 2, 1].find(size =>
          Array.from({ length: 16 / size }, (_, i) => i * size).some(at =>
            Array.from({ length: size }, (_, i) => at + i).every(block => !taken.has(block)),
          ),
        )
        expect(cluster!.largestFree?.split('/')[1]).toBe(largest && String(28 - Math.log2(largest)))
        if (cluster!.largestFree !== undefined)
          expect(blocks(cluster!.largestFree).filter(block => taken.has(block))).toEqual([])
        // Each node is there once, in the order of addresses.
        const firsts = nodes.map(({ range }) => Number(range.split('/')[0]!.split('.')[3]))
        expect(firsts).toEqual(firsts.toSorted((a, b) => a - b))
        expect(nodes.map(({ name }) => name).toSorted()).toEqual(held.map((_, i) => `n${i}`).toSorted())
      }),
    )
  })

  test('counts what Services have of it', () => {
    expect(rows({ clusterCIDRs: ['10.0.0.0/22'], serviceCIDRs: ['10.0.1.0/24'] })[0]).toBe(
      'cluster  10.0.0.0/22 4 1 3 10.0.2.0/23',
    )
  })

  test('that is a guess says not when it is full', () => {
    const nodes = [node('a', ['10.244.0.0/24'], { created: NOW - 60 * DAY })]
    const clusterCIDRs = { cidrs: [cidr('10.244.0.0/16')], from: 'a guess' }
    const full = (isGuess?: true) =>
      nodeRows({ ...facts({ nodes }), clusterCIDRs: { ...clusterCIDRs, ...(isGuess && { isGuess }) } }, NOW)[0]
    expect(full()).toMatchObject({ from: 'a guess', full: { when: 'not-growing' } })
    expect(full(true)).toMatchObject({ isGuess: true, full: undefined })
  })

  test('smaller than the range of a node is one part, and is full with the first node', () => {
    expect(rows({ clusterCIDRs: ['10.244.0.0/25'], nodes: [node('a', ['10.244.0.0/24'])] })[0]).toBe(
      'cluster  10.244.0.0/25 1 1 0 undefined',
    )
    expect(rows({ clusterCIDRs: ['10.244.0.128/25'] })[0]).toBe('cluster  10.244.0.128/25 1 0 1 10.244.0.128/25')
  })
})

describe('how large the range of a node is', () => {
  test('is said by the flag, or by most of the nodes, or is what Kubernetes has by default', () => {
    const mask = (words: FactsInWords, family: 'ipv4' | 'ipv6' = 'ipv4') => nodeMaskOf(facts(words), family)
    const nodes = [node('a', ['10.0.0.0/26']), node('b', ['10.1.0.0/25', 'fd00::/80']), node('c', ['10.2.0.0/25'])]
    expect([mask({ nodes, nodeMask: { ipv4: 20 } }), mask({ nodes }), mask({ nodes }, 'ipv6')]).toEqual([20, 25, 80])
    expect([mask({}), mask({}, 'ipv6')]).toEqual([24, 64])
  })

  test('does not depend on the order in which nodes are listed', () => {
    const nodes = ['10.0.0.0/24', '10.1.0.0/25', '10.2.0.0/24', '10.3.0.0/25'].map((range, i) => node(`n${i}`, [range]))
    expect(nodeMaskOf(facts({ nodes: nodes.toReversed() }), 'ipv4')).toBe(nodeMaskOf(facts({ nodes }), 'ipv4'))
  })
})

describe('the range of a node', () => {
  test('says nothing of pods that could not be listed', () => {
    expect(rows({ nodes: [node('a', ['10.244.0.0/24'])] })[1]).toBe(
      'node a 10.244.0.0/24 253 undefined undefined undefined',
    )
  })

  test('counts its pods, none of another node, and no gateway', () => {
    const podIPs = ['10.244.0.1', '10.244.0.2', '10.244.1.2', '10.244.0.254', '10.244.0.255']
    expect(rows({ podIPs, nodes: [node('a', ['10.244.0.0/24'])] })[1]).toBe(
      'node a 10.244.0.0/24 253 2 251 10.244.0.64/26',
    )
  })

  test('is there once where it lies outside of the cluster, at the end', () => {
    const nodes = [node('a', ['10.9.0.0/24']), node('b', ['10.244.9.0/24', 'fd00::/64'])]
    expect(nodeRows(facts({ nodes }), NOW).map(({ kind, name, range }) => `${kind} ${name} ${range}`)).toEqual([
      'cluster  10.244.0.0/16',
      'node b 10.244.9.0/24',
      'node a 10.9.0.0/24',
      'node b fd00::/64',
    ])
  })

  test.each([
    ['10.0.0.0/24', 253n],
    ['10.0.0.0/30', 1n],
    ['10.0.0.0/31', 2n],
    ['10.0.0.0/32', 1n],
    ['fd00::/126', 2n],
    ['fd00::/127', 2n],
    ['fd00::/64', (1n << 64n) - 2n],
  ])('%s has %d addresses for pods', (range, size) => {
    const { first, last } = usableOf(cidr(range))
    expect(last - first + 1n).toBe(size)
  })
})
