import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rangeOverview } from '#ipam/overview/overview.ts'
import { overviewText } from '#ipam/overview/overview-text.ts'
import type { RangeRow } from '#ipam/overview/range-rows.ts'
import { DAY, facts, NOW, node, service } from './facts.ts'

function row(more: Partial<RangeRow> = {}): RangeRow {
  return {
    ...{ kind: 'cluster', name: '', range: '10.244.0.0/16', unit: '/24 for nodes', size: 256n, used: 1n, free: 255n },
    ...{ largestFree: undefined, full: undefined, ...more },
  }
}

const lines = (rows: readonly RangeRow[], warnings: readonly string[] = []) =>
  overviewText({ rows, warnings }).split('\n')

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
  expect(overviewText(rangeOverview(facts(words), NOW)).split('\n')).toEqual([
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

test('columns stand below each other, whatever is in them, and no line ends in space', () => {
  const big = fc.bigInt({ min: 0n, max: 1n << 128n })
  const anyRow = fc.record({
    kind: fc.constantFrom<RangeRow['kind']>('cluster', 'node', 'ring', 'peer', 'services', 'node-ports', 'band'),
    name: fc.stringMatching(/^[a-z][a-z0-9.-]{0,30}$/),
    ...{ size: big, used: fc.option(big, { nil: undefined }), free: fc.option(big, { nil: undefined }) },
    largestFree: fc.option(fc.constantFrom('10.0.0.0/8', 'fd00:1:2:3:4::/80'), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(anyRow, { minLength: 1, maxLength: 6 }), rows => {
      const table = lines(rows.map(row)).slice(0, rows.length + 1)
      const head = table[0]!
      // To the left edge, and to the right one of numbers, there are three spaces at least.
      for (const [title, align] of [
        ['RANGE', 'left'],
        ['OF', 'left'],
        ['SIZE', 'right'],
        ['FREE', 'right'],
      ] as const) {
        const edge = head.indexOf(title) + (align === 'left' ? 0 : title.length)
        for (const line of table) {
          expect(line.slice(align === 'left' ? edge - 3 : edge, align === 'left' ? edge : edge + 3)).toBe('   ')
          expect(line[align === 'left' ? edge : edge - 1]).not.toBe(' ')
          expect(line).toBe(line.trimEnd())
        }
      }
    }),
  )
})

describe('a cell', () => {
  test('has numbers that can be read: from a million millions on the power of two', () => {
    const size = (of: bigint) => lines([row({ size: of })])[1]!.split(/ {3,}/)[2]
    expect([0n, 10n ** 12n - 1n, 10n ** 12n, 1n << 64n, (1n << 80n) - 3n].map(size)).toEqual([
      ...['0', '999999999999', '2^40', '2^64', '2^80'],
    ])
  })

  test('is a dash where nothing is known', () => {
    expect(lines([row({ kind: 'node', name: 'a', used: undefined, free: undefined })])[1]!.split(/ {3,}/)).toEqual([
      ...['  node a', '10.244.0.0/16', '256', '-', '-', '/24 for nodes', '-', '-'],
    ])
  })
})

test('who says what a range is stands below the table once for each kind, and warnings at last', () => {
  const from = 'a flag'
  const rows = [row({ from }), row({ range: 'fd00::/48', from }), row({ kind: 'services', from: 'ServiceCIDRs' })]
  expect(lines(rows, ['one', 'two']).slice(4)).toEqual([
    '',
    'Cluster CIDR: a flag.',
    'Service CIDR: ServiceCIDRs.',
    expect.stringMatching(/^FULL: /),
    'Warning: one',
    'Warning: two',
  ])
})

test('without any range there is one line', () => {
  expect(lines([], ['none'])).toEqual(['There are no ranges.'])
})
