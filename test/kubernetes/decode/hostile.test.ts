import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Event } from '#kubernetes/event.ts'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { documents } from '#kubernetes/sources/files.ts'

// What an attacker may write into a cluster, and what becomes of it. A file without expectations fails.

const FOLDER = new URL('../../../fixtures/hostile/', import.meta.url)

interface Expected {
  /** What is kept, as short lines. */
  readonly kept: readonly string[]
  /** Objects of which nothing is. */
  readonly gone?: readonly string[]
  /** How many lines say what was left out. */
  readonly lines: number
  /** How many say what was kept, but should be written otherwise. */
  readonly warnings?: number
}

const EXPECTED: Readonly<Record<string, Expected>> = {
  'service-names.yaml': { kept: ['shop/cart 10.96.0.11 80/tcp'], lines: 10 },
  'service-addresses.yaml': {
    kept: ['shop/outside 10.96.0.1 80/tcp external 192.0.2.7 2001:db8::7 192.0.2.8'],
    gone: [
      'shop/cluster-ip',
      'shop/cluster-ips',
      'shop/other-cluster-ip',
      'shop/two-of-a-family',
      'shop/wrong-family',
      'shop/no-list',
    ],
    lines: 21,
  },
  'leading-zeros.yaml': {
    kept: [
      'shop/stored 172.30.0.41 fd00::41 80/tcp external 192.0.2.7 192.0.2.10 balanced 203.0.113.11 for 10.180.0.0/14 192.168.0.0/16 10.0.0.0/8',
      'shop/never 172.30.0.42 80/tcp',
      'shop/stored-1 of shop/stored 8080/tcp to 10.180.0.1 10.180.0.2',
      'n1 at 192.0.2.10 with 10.180.1.0/24 fd00:1::/64',
      'kubernetes 172.30.0.0/16',
    ],
    lines: 9,
    warnings: 13,
  },
  'service-ports.yaml': { kept: ['shop/ports 10.96.0.1 http:80/tcp@30080 dns:53/tcp dns:53/udp'], lines: 21 },
  'source-ranges.yaml': {
    kept: [
      'shop/all-wrong 10.96.0.1 80/tcp',
      'shop/no-list 10.96.0.2 80/tcp',
      'shop/some-wrong 10.96.0.3 80/tcp balanced 203.0.113.3 for 10.0.0.0/8',
      'shop/one-family-wrong 10.96.0.4 80/tcp balanced 2001:db8::4 for 2001:db8::/32',
      'shop/blank 10.96.0.5 80/tcp',
    ],
    lines: 14,
  },
  'policies.yaml': {
    kept: ['shop/sticky 10.96.0.4 80/tcp sticky 10800', 'shop/sticky-otherwise 10.96.0.5 80/tcp'],
    gone: ['shop/external', 'shop/internal', 'shop/type', 'shop/too-old'],
    lines: 6,
  },
  'slices.yaml': {
    kept: [
      'shop/mixed of shop/cart http:8080/tcp to 10.244.1.1 10.244.1.2',
      'shop/zones of shop/cart 80/tcp to fd00::1',
    ],
    gone: ['shop/names', 'shop/homeless', 'shop/fqdn'],
    lines: 18,
  },
  'nodes.yaml': { kept: ['n1 at 192.0.2.1 198.51.100.1 with 10.244.1.0/24'], lines: 6 },
  'shapes.yaml': {
    kept: [
      'shop/lists 10.96.0.1',
      'shop/proto 10.96.0.2 80/tcp',
      'shop/ring 10.96.0.3 80/tcp',
      'shop/slice of shop/cart to',
      'shop/last 10.96.0.5',
    ],
    gone: ['shop/number'],
    lines: 16,
  },
}

function brief(object: ClusterObject): string {
  if (object.kind === 'ServiceCIDR') return words(object.name, ...object.cidrs)
  if (object.kind === 'Node') return words(object.name, 'at', ...object.addresses, 'with', ...object.podCIDRs)
  const ports = object.ports.map(({ name, port, protocol, ...more }) => {
    const nodePort = 'nodePort' in more ? `@${more.nodePort}` : ''
    return `${name && `${name}:`}${port}/${protocol}${nodePort}`
  })
  if (object.kind === 'EndpointSlice') {
    return words(object.name, 'of', object.service, ...ports, 'to', ...object.endpoints.map(({ ip }) => ip))
  }
  const { externalIPs, loadBalancerIPs, sourceRanges, stickySeconds } = object
  const external = externalIPs.length > 0 ? ['external', ...externalIPs] : []
  const balanced = loadBalancerIPs.length > 0 ? ['balanced', ...loadBalancerIPs] : []
  const clients = sourceRanges.length > 0 ? ['for', ...sourceRanges] : []
  const sticky = stickySeconds === undefined ? [] : ['sticky', String(stickySeconds)]
  return words(object.name, ...object.clusterIPs, ...ports, ...external, ...balanced, ...clients, ...sticky)
}

function words(...parts: readonly string[]): string {
  return parts.join(' ')
}

describe('hostile objects', () => {
  test('all have an expectation', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(EXPECTED).sort())
  })

  test.each(Object.entries(EXPECTED))('%s', (name, { kept, gone = [], lines, warnings = 0 }) => {
    const events = documents([{ name, text: readFileSync(new URL(name, FOLDER), 'utf8') }])
    const problems = events.flatMap(event => (event.type === 'problem' ? event.problems : []))
    const warned = events.flatMap(event => (event.type === 'put' ? (event.warnings ?? []) : []))
    expect(events.filter(event => event.type === 'put').map(event => brief(event.object))).toEqual(kept)
    expect(events.filter(event => event.type === 'gone').map(event => event.name)).toEqual(gone)
    expect([problems.length, warned.length]).toEqual([lines, warnings])
    for (const line of [...problems, ...warned])
      expect(line).toMatch(new RegExp(`^${name}:\\d+: [\\x20-\\x7e]{1,300}$`))
    for (const event of events) expectPlain(event)
  })
})

/** Nothing of what is kept can end a line, leave a quote or start an option. */
function expectPlain(event: Event): void {
  if (event.type !== 'put') return
  const strings = JSON.stringify(event.object).match(/"(?:[^"\\]|\\.)*"/g) ?? []
  for (const text of strings) expect(text).toMatch(/^"(?:[A-Za-z0-9:][\w./:-]*)?"$/)
}
