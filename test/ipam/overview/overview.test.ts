import { describe, expect, test } from 'vitest'
import { rangeOverview } from '#ipam/overview/overview.ts'
import { type FactsInWords, facts, NOW, node } from './facts.ts'

// All kinds of rows and warnings beside each other.

const overview = (words: FactsInWords) => rangeOverview(facts(words), NOW)

test('rows are of both families, of nodes outside, and of node ports at last', () => {
  const nodes = [node('a', ['10.244.3.0/24', 'fd00:244:0:3::/64']), node('b', ['10.9.0.0/24'])]
  const { rows } = overview({ nodes, clusterCIDRs: ['10.244.0.0/22', 'fd00:244::/56'], serviceCIDRs: [] })
  expect(
    rows.map(({ kind, name, range, size, used, free }) => `${kind} ${name} ${range} ${size} ${used} ${free}`),
  ).toEqual([
    'cluster  10.244.0.0/22 4 1 3',
    'node a 10.244.3.0/24 253 undefined undefined',
    'cluster  fd00:244::/56 256 1 255',
    'node a fd00:244:0:3::/64 18446744073709551614 undefined undefined',
    'node b 10.9.0.0/24 253 undefined undefined',
    'node-ports  30000-32767 2768 0 2768',
    'band dynamic band 30086-32767 2682 0 2682',
    'band static band 30000-30085 86 0 86',
  ])
})

describe('warnings', () => {
  test('are none where nothing is wrong', () => {
    expect(overview({ nodes: [node('a', ['10.244.0.0/24'])] }).warnings).toEqual([])
  })

  test('are of ranges that overlap first, then of what is short', () => {
    expect(overview({ clusterCIDRs: ['10.96.128.0/17'] }).warnings).toEqual([
      "the cluster's range 10.96.128.0/17 overlaps the range of Services 10.96.0.0/16",
      'no node can get a range of 10.96.128.0/17: 128 of 128 are taken',
    ])
  })
})
