import { expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { healthChecks } from '#proxy/desired/health-checks.ts'
import { endpoint, name, service, slice, slicePort } from '../../support/objects.ts'

const HERE = { family: 'ipv4', nodeName: 'here' } as const
const LB = { type: 'LoadBalancer', externalPolicy: 'Local', healthCheckNodePort: 31_234 } as const
const CART = service('shop/cart', ['10.96.0.10', 'fd00::10'], LB)

function cluster(...objects: readonly ClusterObject[]): Cluster {
  const made = new Cluster()
  for (const object of objects) made.apply({ type: 'put', object })
  return made
}

function here(address: string, more: object = {}) {
  return endpoint(address, { nodeName: 'here', ...more })
}

function count(...slices: readonly ClusterObject[]): number | undefined {
  return healthChecks(cluster(CART, ...slices), HERE)[0]?.count
}

test('only Services that have such a port are asked for, sorted by name', () => {
  const other = service('shop/a', ['10.96.0.11'], { ...LB, healthCheckNodePort: 31_235 })
  expect(healthChecks(cluster(CART, service('shop/plain', ['10.96.0.12']), other), HERE)).toEqual([
    { service: name('shop/a'), port: 31_235, count: 0 },
    { service: name('shop/cart'), port: 31_234, count: 0 },
  ])
})

test('a Service without an address in a family is not asked for in it', () => {
  const six = service('shop/six', ['fd00::11'], LB)
  expect(healthChecks(cluster(six), HERE)).toEqual([])
  expect(healthChecks(cluster(six), { ...HERE, family: 'ipv6' })).toHaveLength(1)
})

test('endpoints of this node that are ready count, and no others', () => {
  const endpoints = [
    here('10.1.0.1'),
    here('10.1.0.2', { ready: false }),
    here('10.1.0.3', { ready: false, serving: true, terminating: true }),
    endpoint('10.1.0.4', { nodeName: 'there' }),
    endpoint('10.1.0.5'),
  ]
  expect(count(slice('shop/a', 'shop/cart', endpoints))).toBe(1)
})

test('a pod with several ports, or in several slices, is one', () => {
  const ports = [slicePort(8080, 'http'), slicePort(8443, 'https'), slicePort(53, 'dns', 'udp')]
  const first = slice('shop/a', 'shop/cart', [here('10.1.0.1'), here('10.1.0.2')], { ports })
  const second = slice('shop/b', 'shop/cart', [here('10.1.0.2'), here('10.1.0.3')], {
    ports: [slicePort(9090, 'more')],
  })
  expect(count(first, second)).toBe(3)
})

test('a pod that is ready in one slice and leaves another one is there', () => {
  const leaving = { ready: false, serving: true, terminating: true }
  const slices = [
    slice('shop/a', 'shop/cart', [here('10.1.0.1', leaving)]),
    slice('shop/b', 'shop/cart', [here('10.1.0.1')]),
  ]
  expect(count(...slices)).toBe(1)
})

test('each family counts its own', () => {
  const objects = [
    CART,
    slice('shop/a', 'shop/cart', [here('10.1.0.1')]),
    slice('shop/b', 'shop/cart', [here('fd01::1'), here('fd01::2')]),
  ]
  expect(healthChecks(cluster(...objects), HERE)[0]!.count).toBe(1)
  expect(healthChecks(cluster(...objects), { ...HERE, family: 'ipv6' })[0]!.count).toBe(2)
})

test('a node without a name has no endpoints of its own', () => {
  const made = cluster(CART, slice('shop/a', 'shop/cart', [endpoint('10.1.0.1', { nodeName: '' })]))
  expect(healthChecks(made, { family: 'ipv4', nodeName: '' })[0]!.count).toBe(0)
})
