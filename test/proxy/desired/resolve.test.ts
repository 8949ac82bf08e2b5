import { describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { resolve } from '#proxy/desired/resolve.ts'
import type { ThisNode } from '#proxy/desired/this-node.ts'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import { cidr, endpoint, ip, name, port, service, slice, slicePort } from '../../support/objects.ts'

const HERE: ThisNode = { family: 'ipv4', nodeName: 'here', zone: 'a', masquerade: 'from-outside' }

function traffics(
  objects: readonly ClusterObject[],
  thisNode: ThisNode = HERE,
  called = 'shop/cart',
): readonly ServiceTraffic[] {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  return resolve(cluster, name(called), thisNode).map(({ traffic }) => traffic)
}

function only(objects: readonly ClusterObject[], thisNode?: ThisNode): ServiceTraffic {
  const [traffic, ...rest] = traffics(objects, thisNode)
  expect(rest).toEqual([])
  return traffic!
}

const texts = (pool: readonly { text: string }[]): readonly string[] => pool.map(({ text }) => text)
const CART = service('shop/cart', ['10.96.0.10'])
const here = { nodeName: 'here' }
const there = { nodeName: 'there' }

describe('which endpoints', () => {
  test('a service port draws from the ready endpoints of its own slices, sorted by their text', () => {
    const traffic = only([
      CART,
      slice('shop/cart-2', 'shop/cart', [endpoint('10.1.0.9'), endpoint('10.1.0.10', { ready: false })]),
      slice('shop/cart-1', 'shop/cart', [endpoint('10.1.0.11')]),
      slice('shop/other', 'shop/other', [endpoint('10.1.0.99')]),
    ])
    expect(texts(traffic.pools.cluster)).toEqual(['10.1.0.11:8080', '10.1.0.9:8080'])
    expect(traffic.pools.local).toEqual([])
  })

  test('ports are joined by name and protocol, and may differ between slices', () => {
    const dns = service('shop/cart', ['10.96.0.10'], { ports: [port({ name: 'dns', port: 53, protocol: 'udp' })] })
    const traffic = only([
      dns,
      slice('shop/a', 'shop/cart', [endpoint('10.1.0.1')], {
        ports: [slicePort(5353, 'dns', 'udp'), slicePort(53, 'dns', 'tcp')],
      }),
      slice('shop/b', 'shop/cart', [endpoint('10.1.0.2')], {
        ports: [slicePort(53, 'dns', 'udp'), slicePort(9, 'other', 'udp')],
      }),
    ])
    expect(texts(traffic.pools.cluster)).toEqual(['10.1.0.1:5353', '10.1.0.2:53'])
  })

  test('an endpoint in two slices counts once, with the better condition', () => {
    const traffic = only([
      CART,
      slice('shop/a', 'shop/cart', [endpoint('10.1.0.1', { ready: false, terminating: true })]),
      slice('shop/b', 'shop/cart', [endpoint('10.1.0.1')]),
    ])
    expect(texts(traffic.pools.cluster)).toEqual(['10.1.0.1:8080'])
  })

  test('terminating endpoints that still serve stand in where none is ready', () => {
    const leaving = endpoint('10.1.0.1', { ready: false, serving: true, terminating: true })
    const dead = endpoint('10.1.0.2', { ready: false, serving: false, terminating: true })
    const notReady = endpoint('10.1.0.4', { ready: false, serving: true })
    expect(texts(only([CART, slice('shop/a', 'shop/cart', [leaving, dead, notReady])]).pools.cluster)).toEqual([
      '10.1.0.1:8080',
    ])
    const withReady = [leaving, dead, endpoint('10.1.0.3')]
    expect(texts(only([CART, slice('shop/a', 'shop/cart', withReady)]).pools.cluster)).toEqual(['10.1.0.3:8080'])
  })

  test('the local pool falls back on its own, while the cluster pool stays with ready endpoints', () => {
    const cart = service('shop/cart', ['10.96.0.10'], {
      type: 'NodePort',
      externalPolicy: 'Local',
      ports: [port({ port: 80, nodePort: 30080 })],
    })
    const leavingHere = endpoint('10.1.0.1', { ...here, ready: false, terminating: true })
    const traffic = only([cart, slice('shop/a', 'shop/cart', [leavingHere, endpoint('10.1.0.2', there)])])
    expect(texts(traffic.pools.cluster)).toEqual(['10.1.0.2:8080'])
    expect(texts(traffic.pools.local)).toEqual(['10.1.0.1:8080'])
    expect(traffic.gate).toEqual({ policy: 'Local', others: 'local' })
  })
})

describe('hints', () => {
  const pool = (endpoints: Parameters<typeof slice>[2], thisNode = HERE): readonly string[] =>
    texts(only([CART, slice('shop/a', 'shop/cart', endpoints)], thisNode).pools.cluster)
  const a = endpoint('10.1.0.1', { forZones: ['a'] })
  const b = endpoint('10.1.0.2', { forZones: ['b'] })

  test('keep traffic in the zone', () => expect(pool([a, b])).toEqual(['10.1.0.1:8080']))
  test('are ignored where one ready endpoint has none', () =>
    expect(pool([a, b, endpoint('10.1.0.3')])).toHaveLength(3))
  test('are ignored where none names the zone', () => expect(pool([b])).toEqual(['10.1.0.2:8080']))
  test('are ignored on a node without a zone', () => {
    const { zone: _, ...nowhere } = HERE
    expect(pool([a, b], nowhere)).toHaveLength(2)
  })
  test('of endpoints that are not ready do not count', () =>
    expect(pool([a, b, endpoint('10.1.0.3', { ready: false })])).toEqual(['10.1.0.1:8080']))
  test('for nodes come before those for zones', () => {
    const mine = endpoint('10.1.0.3', { forZones: ['b'], forNodes: ['here'] })
    const other = endpoint('10.1.0.4', { forZones: ['a'], forNodes: ['there'] })
    expect(pool([mine, other])).toEqual(['10.1.0.3:8080'])
    expect(pool([mine, other], { ...HERE, nodeName: 'elsewhere' })).toEqual(['10.1.0.4:8080'])
  })
  test('do not touch the local pool', () => {
    const cart = service('shop/cart', ['10.96.0.10'], { internalPolicy: 'Local' })
    const far = endpoint('10.1.0.1', { ...here, forZones: ['b'] })
    expect(texts(only([cart, slice('shop/a', 'shop/cart', [far])]).pools.local)).toEqual(['10.1.0.1:8080'])
  })
})

describe('verdicts', () => {
  const verdicts = (objects: readonly ClusterObject[]): unknown =>
    only(objects).frontends.map(({ kind, verdict }) => [kind, verdict.to])

  test('no endpoint anywhere is a refusal at every frontend', () => {
    const cart = service('shop/cart', ['10.96.0.10'], {
      externalIPs: [ip('198.18.0.1')],
      loadBalancerIPs: [ip('198.18.0.2')],
      ports: [port({ port: 80, nodePort: 30080 })],
    })
    expect(verdicts([cart])).toEqual([
      ['cluster-ip', 'reject'],
      ['external-ip', 'reject'],
      ['load-balancer', 'reject'],
      ['node-port', 'reject'],
    ])
    expect(only([cart]).gate).toBeUndefined()
  })

  test('internal Local without a local endpoint drops, and with one uses the local pool', () => {
    const cart = service('shop/cart', ['10.96.0.10'], { internalPolicy: 'Local' })
    expect(verdicts([cart, slice('shop/a', 'shop/cart', [endpoint('10.1.0.1', there)])])).toEqual([
      ['cluster-ip', 'drop'],
    ])
    const local = only([cart, slice('shop/a', 'shop/cart', [endpoint('10.1.0.1', here)])])
    expect(local.frontends[0]!.verdict).toEqual({ to: 'pool', pool: 'local' })
    expect(local.pools.cluster).toEqual([])
  })

  test('external Local without a local endpoint keeps the gate open for pods and the node', () => {
    const cart = service('shop/cart', ['10.96.0.10'], { externalPolicy: 'Local', externalIPs: [ip('198.18.0.1')] })
    const traffic = only([cart, slice('shop/a', 'shop/cart', [endpoint('10.1.0.1', there)])])
    expect(traffic.gate).toEqual({ policy: 'Local', others: 'drop' })
    expect(traffic.frontends.map(({ verdict }) => verdict.to)).toEqual(['pool', 'gate'])
  })

  test('external Local means nothing to a Service without an outward frontend', () => {
    const cart = service('shop/cart', ['10.96.0.10'], { externalPolicy: 'Local' })
    const traffic = only([cart, slice('shop/a', 'shop/cart', [endpoint('10.1.0.1', here)])])
    expect(traffic.gate).toBeUndefined()
    expect(traffic.pools.local).toEqual([])
  })
})

describe('families', () => {
  const dual = service('shop/cart', ['10.96.0.10', 'fd10:96::10'], {
    externalIPs: [ip('198.18.0.1'), ip('fd00::1')],
    sourceRanges: [cidr('203.0.113.0/24')],
    loadBalancerIPs: [ip('fd00::2')],
  })

  test('each sees its own addresses and slices', () => {
    const objects = [
      dual,
      slice('shop/4', 'shop/cart', [endpoint('10.1.0.1')]),
      slice('shop/6', 'shop/cart', [endpoint('fd00:1::1')]),
    ]
    expect(texts(only(objects).pools.cluster)).toEqual(['10.1.0.1:8080'])
    const six = only(objects, { ...HERE, family: 'ipv6' })
    expect(texts(six.pools.cluster)).toEqual(['[fd00:1::1]:8080'])
    expect(six.frontends.map(frontend => frontend.ip)).toEqual(['fd10:96::10', 'fd00::1', 'fd00::2'])
  })

  test('source ranges of the other family restrict nothing in this one', () => {
    const six = only([dual, slice('shop/6', 'shop/cart', [endpoint('fd00:1::1')])], { ...HERE, family: 'ipv6' })
    expect(six.frontends.every(({ sourceRanges }) => sourceRanges === undefined)).toBe(true)
  })

  test('a Service without an address in a family has no frontends there, node ports included', () => {
    const single = service('shop/cart', ['10.96.0.10'], { ports: [port({ port: 80, nodePort: 30080 })] })
    expect(traffics([single], { ...HERE, family: 'ipv6' })).toEqual([])
  })
})

test('headless Services and ExternalNames are not served', () => {
  expect(traffics([service('shop/cart', [])])).toEqual([])
  expect(traffics([service('shop/cart', ['10.96.0.10'], { type: 'ExternalName' })])).toEqual([])
})
