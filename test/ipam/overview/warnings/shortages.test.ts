import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rangeOverview } from '#ipam/overview/overview.ts'
import type { RangeRow } from '#ipam/overview/range-rows.ts'
import { shortageWarnings } from '#ipam/overview/warnings/shortages.ts'
import { cidr, type FactsInWords, facts, NOW, node, service } from '../facts.ts'

const warnings = (words: FactsInWords) => shortageWarnings(facts(words), rangeOverview(facts(words), NOW).rows)

function row(more: Partial<RangeRow>): RangeRow {
  return {
    ...{ kind: 'services', name: '', range: '10.96.0.0/24', unit: 'cluster IPs', size: 100n, used: 0n, free: 100n },
    ...{ largestFree: undefined, full: undefined, ...more },
  }
}
const ofRow = (more: Partial<RangeRow>) => shortageWarnings(facts(), [row(more)])

describe('a warning', () => {
  test.each<[string, FactsInWords, readonly string[]]>([
    [
      'nodes without a range, where others have one',
      { nodes: [node('a', ['10.244.0.0/24']), node('b', []), node('c', [])] },
      ['nodes b and c have no podCIDR: no pod starts there'],
    ],
    ['nothing where none has one: they come from elsewhere', { nodes: [node('a', []), node('b', [])] }, []],
    [
      'nothing where the ring gives them',
      {
        nodes: [node('a', ['10.244.0.0/24']), node('b', [])],
        ring: { range: cidr('10.32.0.0/12'), tokens: [], peers: [], requests: [], revision: 1 },
      },
      [],
    ],
    [
      'more pods than addresses, in one line for all nodes of the same numbers',
      {
        nodes: [
          ...['0', '1', '2', '3'].map(n => node(`n${n}`, [`10.244.${n}.0/26`])),
          node('other', ['10.244.9.0/26', 'fd00::/122'], { maxPods: 62 }),
          node('unknown', ['10.244.8.0/28'], { maxPods: undefined }),
        ],
      },
      [
        'nodes n0, n1 and 2 more may have 110 pods and 61 IPv4 addresses (/26) each: the last pods get none',
        'node other may have 62 pods and 61 IPv4 addresses (/26): the last pods get none',
      ],
    ],
    [
      'nodes left',
      { clusterCIDRs: ['10.244.0.0/24'], nodes: [node('a', ['10.244.0.0/24'])] },
      ['no node can get a range of 10.244.0.0/24: 1 of 1 are taken'],
    ],
    [
      'a range of Services that is full',
      { serviceCIDRs: ['10.96.0.0/30'], services: [service('a/x', ['10.96.0.1', '10.96.0.2'])] },
      ['10.96.0.0/30 is full: 2 of 2 cluster IPs are taken'],
    ],
    [
      'a range of Services that has no address at all',
      { serviceCIDRs: ['10.96.0.0/32'] },
      ['10.96.0.0/32 is full: 0 of 0 cluster IPs are taken'],
    ],
  ])('of %s', (_, words, expected) => {
    expect(warnings(words)).toEqual(expected)
  })

  test('comes with the ninetieth of a hundred, in rows that are a range of their own', () => {
    const count = fc.bigInt({ min: 0n, max: 1n << 70n })
    const kind = fc.constantFrom<RangeRow['kind']>('cluster', 'node', 'ring', 'services', 'node-ports')
    fc.assert(
      fc.property(count, count, kind, (a, b, kind) => {
        const [used, size] = a < b ? [a, b] : [b, a]
        const isNear = used * 10n >= size * 9n
        expect(ofRow({ kind, size, used, free: size - used })).toHaveLength(isNear ? 1 : 0)
        for (const part of ['band', 'peer'] as const)
          expect(ofRow({ kind: part, size, used, free: size - used })).toEqual([])
      }),
    )
  })

  test('says how many are left', () => {
    const left = (free: bigint, kind: RangeRow['kind']) => ofRow({ kind, used: 100n - free, free })[0]
    expect([0n, 1n, 2n].map(free => left(free, 'cluster'))).toEqual([
      'no node can get a range of 10.96.0.0/24: 100 of 100 are taken',
      '1 more node can get a range of 10.96.0.0/24: 99 of 100 are taken',
      '2 more nodes can get a range of 10.96.0.0/24: 98 of 100 are taken',
    ])
    expect(left(10n, 'services')).toBe('10.96.0.0/24 has 10 left: 90 of 100 cluster IPs are taken')
  })

  test('is none of what is a guess, or not known', () => {
    expect(ofRow({ kind: 'cluster', used: 100n, free: 0n, isGuess: true })).toEqual([])
    expect(ofRow({ kind: 'node', used: undefined, free: undefined })).toEqual([])
  })
})
