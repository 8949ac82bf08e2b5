import { describe, expect, test } from 'vitest'
import { rangeOverview } from '#ipam/overview/overview.ts'
import { overviewJson } from '#ipam/overview/overview-json.ts'
import { overviewText } from '#ipam/overview/overview-text.ts'
import type { Ring } from '#ipam/ring/ring.ts'
import { cidr, DAY, type FactsInWords, facts, ip, NOW, node, service } from './facts.ts'

const text = (words: FactsInWords) => overviewText(rangeOverview(facts(words), NOW))
const rows = (words: FactsInWords) =>
  rangeOverview(facts(words), NOW).rows.map(
    row => `${row.kind} ${row.name} ${row.range} ${row.size} ${row.used} ${row.free} ${row.largestFree}`,
  )
const warnings = (words: FactsInWords) => rangeOverview(facts(words), NOW).warnings

const RING: Ring = {
  range: cidr('10.32.0.0/29'),
  tokens: [
    { name: 'a', uid: '1', start: 0x0a200000, epoch: 1 },
    { name: 'b', uid: '2', start: 0x0a200004, epoch: 1 },
    { name: 'a', uid: '1', start: 0x0a200006, epoch: 2 },
  ],
  ...{ peers: [], requests: [], revision: 1 },
}

test('the table, to the letter', () => {
  const created = NOW - 100 * DAY
  const words = {
    nodes: [
      node('worker-2', ['10.244.1.0/24'], { created: NOW - 10 * DAY }),
      node('worker-1', ['10.244.0.0/24'], { created }),
    ],
    services: [
      service('default/kubernetes', ['10.96.0.1'], { created }),
      service('shop/web', ['10.96.7.7'], { created: NOW - DAY, nodePorts: [31_000, 31_001] }),
    ],
    podIPs: ['10.244.0.2', '10.244.0.9', '10.244.1.254'],
  }
  expect(text(words).split('\n')).toEqual([
    'WHAT              RANGE                      SIZE   USED    FREE   OF              LARGEST FREE      FULL',
    'Cluster CIDR      10.244.0.0/16               256      2     254   /24 for nodes   10.244.128.0/17   in 20 y',
    '  node worker-1   10.244.0.0/24               253      2     251   pods            10.244.0.64/26    -',
    '  node worker-2   10.244.1.0/24               253      1     252   pods            10.244.1.64/26    -',
    'Service CIDR      10.96.0.0/16              65534      2   65532   cluster IPs     10.96.64.0/18     > 100 y',
    '  dynamic band    10.96.1.1-10.96.255.254   65278      1   65277   cluster IPs     10.96.64.0/18     > 100 y',
    '  static band     10.96.0.1-10.96.1.0         256      1     255   cluster IPs     10.96.0.128/25    never',
    'Node ports        30000-32767                2768      2    2766   ports           31002-32767       > 100 y',
    '  dynamic band    30086-32767                2682      2    2680   ports           31002-32767       > 100 y',
    '  static band     30000-30085                  86      0      86   ports           30000-30085       never',
    '',
    'Cluster CIDR: as the test says.',
    'Service CIDR: as the test says.',
    'FULL: if as many are added as in the last 30 days, by the creation times of what is there now; since deletions are not seen, it is the earliest date.',
  ])
})

describe('rows', () => {
  test('of a node say nothing of pods that could not be listed', () => {
    expect(rows({ nodes: [node('a', ['10.244.0.0/24'])] })).toContain(
      'node a 10.244.0.0/24 253 undefined undefined undefined',
    )
  })

  test('of both families, and of nodes outside', () => {
    const nodes = [node('a', ['10.244.3.0/24', 'fd00:244:0:3::/64']), node('b', ['10.9.0.0/24'])]
    const found = rows({ nodes, clusterCIDRs: ['10.244.0.0/22', 'fd00:244::/56'], serviceCIDRs: [] })
    expect(found.map(line => line.split(' ').slice(0, 6).join(' '))).toEqual([
      'cluster  10.244.0.0/22 4 1 3',
      'node a 10.244.3.0/24 253 undefined undefined',
      'cluster  fd00:244::/56 256 1 255',
      'node a fd00:244:0:3::/64 18446744073709551614 undefined undefined',
      'node b 10.9.0.0/24 253 undefined undefined',
      'node-ports  30000-32767 2768 0 2768',
      'band dynamic band 30086-32767 2682 0',
      'band static band 30000-30085 86 0',
    ])
  })

  test('of the ring have the parts of each peer', () => {
    const podIPs = ['10.32.0.1', '10.32.0.5', '10.9.9.9']
    expect(rows({ ring: RING, podIPs, clusterCIDRs: [], serviceCIDRs: [] }).slice(0, 3)).toEqual([
      'ring  10.32.0.0/29 8 2 6 10.32.0.2/31',
      'peer a 10.32.0.0-10.32.0.3 and 1 more 6 1 5 10.32.0.2/31',
      'peer b 10.32.0.4-10.32.0.5 2 1 1 10.32.0.4/32',
    ])
  })

  test('count what Services have of the range of pods', () => {
    const [cluster] = rows({ clusterCIDRs: ['10.0.0.0/22'], serviceCIDRs: ['10.0.1.0/24'] })
    expect(cluster).toBe('cluster  10.0.0.0/22 4 1 3 10.0.2.0/23')
  })

  test('have IPAddresses that no Service has', () => {
    const addresses = [{ address: ip('10.96.7.7'), service: 'shop/gone' }]
    expect(rows({ addresses })[1]).toMatch(/^services {2}10\.96\.0\.0\/16 65534 1 /)
  })
})

describe('a warning', () => {
  test.each<[string, FactsInWords, readonly string[]]>([
    ['nothing', { nodes: [node('a', ['10.244.0.0/24'])] }, []],
    [
      'pods and Services',
      { clusterCIDRs: ['10.96.128.0/17'] },
      [
        "the cluster's range 10.96.128.0/17 overlaps the range of Services 10.96.0.0/16",
        'no node can get a range of 10.96.128.0/17: 128 of 128 are taken',
      ],
    ],
    [
      'two nodes',
      { nodes: [node('a', ['10.244.0.0/23']), node('b', ['10.244.1.0/24']), node('c', ['10.244.2.0/24'])] },
      ["node b's 10.244.1.0/24 overlaps node a's 10.244.0.0/23: pods of both have the same addresses"],
    ],
    [
      'a node outside',
      { nodes: [node('a', ['10.9.0.0/24'])] },
      ["node a's 10.9.0.0/24 is not in the cluster's 10.244.0.0/16"],
    ],
    [
      "the nodes' own network",
      { nodes: [node('a', ['10.244.0.0/24'], { addresses: [ip('10.244.7.7')] })] },
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
      'a route into the ring, but not that of its bridge',
      {
        clusterCIDRs: [],
        ring: { ...RING, range: cidr('10.32.0.0/12'), tokens: [] },
        hostRoutes: ['10.32.0.0/12', '10.33.0.0/16'],
      },
      ["the ring's range 10.32.0.0/12 overlaps a route of this host: 10.33.0.0/16"],
    ],
    [
      'the ring',
      { ring: { ...RING, range: cidr('10.96.0.0/12'), tokens: [] } },
      ["the ring's range 10.96.0.0/12 overlaps the range of Services 10.96.0.0/16"],
    ],
    [
      'a node without a range',
      { nodes: [node('a', ['10.244.0.0/24']), node('b', []), node('c', [])] },
      ['nodes b and c have no podCIDR: no pod starts there'],
    ],
    [
      'more pods than addresses',
      { nodes: ['0', '1', '2', '3'].map(n => node(`n${n}`, [`10.244.${n}.0/26`])) },
      ['nodes n0, n1 and 2 more may have 110 pods and 61 IPv4 addresses (/26) each: the last pods get none'],
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
  ])('of %s', (_, words, expected) => {
    expect(warnings(words)).toEqual(expected)
  })
})

test('JSON has every number', () => {
  const created = NOW - 60 * DAY
  const services = [service('a/old', [], { created }), service('a/x', ['fd00::7'], { created: NOW - DAY })]
  const json = JSON.parse(overviewJson(rangeOverview(facts({ serviceCIDRs: ['fd00::/64'], services }), NOW)))
  expect(json.ranges.find((row: { kind: string }) => row.kind === 'services')).toMatchObject({
    ...{ range: 'fd00::/64', unit: 'cluster IPs', size: '18446744073709551615', used: 1 },
    full: { when: 'later', perDay: 1 / 30 },
  })
  expect(json.warnings).toEqual([])
})
