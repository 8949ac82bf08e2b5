import { describe, expect, test } from 'vitest'
import { factsOf, RING, type StatedByFlags } from '#ranges/overview/facts-of.ts'
import type { RawCluster, RawObject } from '#ranges/overview/raw-objects.ts'
import { cidr } from '../../ipam/overview/facts.ts'

const FLAGS: StatedByFlags = {
  ...{ clusterCIDRs: [], serviceRanges: [], nodeMask: 0, nodeMaskOf: { ipv4: 0, ipv6: 0 } },
  ...{ nodePorts: { first: 30_000, last: 32_767 }, hostRoutes: [cidr('192.168.0.0/16')] },
}
const NOTHING: RawCluster = {
  ...{ nodes: [], services: [], configMaps: [], serviceCIDRs: undefined, addresses: undefined, pods: undefined },
}

function facts(cluster: Partial<RawCluster>, flags: Partial<StatedByFlags> = {}) {
  const left: string[] = []
  return { left, ...factsOf({ ...NOTHING, ...cluster }, { ...FLAGS, ...flags }, what => left.push(what)) }
}

const configMap = (path: string, data: object): RawObject => {
  const [namespace, name] = path.split('/')
  return { metadata: { namespace, name }, data } as RawObject
}
const ringText = (...tokens: readonly unknown[]) =>
  JSON.stringify({ range: '10.32.0.0/12', revision: 4, nodes: [['a', 'u']], tokens, peers: [0], requests: [] })

describe('the ring', () => {
  test('is that of our own ConfigMap, not of one with its name elsewhere', () => {
    const ring = { ring: ringText(['10.32.0.0', 0, 1]) }
    expect(facts({ configMaps: [configMap(RING, ring)] }).ring).toMatchObject({ range: '10.32.0.0/12', revision: 4 })
    expect(facts({ configMaps: [configMap('shop/switchyard-ring', ring)] })).toMatchObject({
      ring: undefined,
      left: [],
    })
  })

  test('that is damaged is left out, and it is said what is wrong with it', () => {
    const { ring, left } = facts({ configMaps: [configMap(RING, { ring: ringText(['10.48.0.0', 0, 1]) })] })
    expect([ring, left]).toEqual([
      undefined,
      [`ConfigMap ${RING}, ring: the first token is at 10.48.0.0, not at the start of 10.32.0.0/12`],
    ])
  })

  test.each([{}, { ring: 7 }, undefined])('is not there where the ConfigMap has %j', data => {
    expect(facts({ configMaps: [configMap(RING, data as object)] })).toMatchObject({ ring: undefined, left: [] })
  })
})

describe('what cannot be listed', () => {
  test('is not known, which is something else than none', () => {
    expect(facts({})).toMatchObject({ addresses: undefined, podIPs: undefined, serviceCIDRs: { cidrs: [] } })
    expect(facts({ addresses: [], pods: [] })).toMatchObject({ addresses: [], podIPs: [] })
  })
})

test.each([
  [{ nodeMask: 0 }, {}],
  [{ nodeMask: 26 }, { ipv4: 26, ipv6: 26 }],
  [
    { nodeMask: 26, nodeMaskOf: { ipv4: 0, ipv6: 80 } },
    { ipv4: 26, ipv6: 80 },
  ],
  [{ nodeMaskOf: { ipv4: 25, ipv6: 0 } }, { ipv4: 25 }],
])('flags %j say that the masks of nodes are %j', (flags, masks) => {
  expect(facts({}, flags).nodeMask).toEqual(masks)
})

test('a range that two ServiceCIDRs have is there once, and flags are not asked where there are any', () => {
  const serviceCIDR = (...cidrs: readonly string[]) => ({ metadata: { name: 'x' }, spec: { cidrs } })
  const { serviceCIDRs, left } = facts(
    { serviceCIDRs: [serviceCIDR('10.96.0.0/16', 'fd00::/112'), serviceCIDR('10.96.0.0/16', 'x')] },
    { serviceRanges: [cidr('10.1.0.0/16')] },
  )
  expect(serviceCIDRs.cidrs).toEqual(['10.96.0.0/16', 'fd00::/112'])
  expect(left).toEqual(['ServiceCIDR x: "x" is no range'])
})

test('what cannot be read of one object is named, and all others are there', () => {
  const podsOf = (ip: string) => ({ status: { podIP: ip } })
  const found = facts({
    nodes: [
      { metadata: { name: 'a' }, spec: { podCIDRs: ['bad'] } },
      { metadata: { name: 'b' }, spec: { podCIDRs: ['10.244.2.0/24'] } },
    ],
    services: [{ metadata: { namespace: 'shop', name: 'web' }, spec: { clusterIPs: ['bad', '10.96.0.7'] } }],
    addresses: [{ metadata: { name: 'bad' } }, { metadata: { name: '10.96.0.7' } }],
    pods: [podsOf('10.244.2.7'), podsOf('bad')],
  })
  expect(found).toMatchObject({
    nodes: [
      { name: 'a', podCIDRs: [] },
      { name: 'b', podCIDRs: ['10.244.2.0/24'] },
    ],
    services: [{ name: 'shop/web', clusterIPs: ['10.96.0.7'] }],
    ...{ addresses: [{ address: '10.96.0.7' }], podIPs: ['10.244.2.7'], hostRoutes: ['192.168.0.0/16'] },
    clusterCIDRs: { cidrs: ['10.244.2.0/24'], isGuess: true },
  })
  expect(found.left).toHaveLength(3)
})
