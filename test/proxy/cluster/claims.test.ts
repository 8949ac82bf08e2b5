import { expect, test } from 'vitest'
import type { Service } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { servicePorts } from '#proxy/cluster/service-ports.ts'
import { ip, name, port, service } from '../../support/objects.ts'

const SHARED = { externalIPs: [ip('198.18.0.7')], ports: [port({ port: 80, nodePort: 30080 })] }
const old = service('shop/old', ['10.96.0.1'], { ...SHARED, created: 1 })
const young = service('shop/young', ['10.96.0.2'], { ...SHARED, created: 2 })

function frontends(cluster: Cluster, { name: called }: Service): unknown {
  const service = cluster.service(called)!
  return servicePorts(service, 'ipv4', cluster.claims).map(({ clusterIP, externalIPs, nodePort }) => [
    clusterIP,
    externalIPs,
    nodePort,
  ])
}

test.each([
  ['the older comes first', [old, young]],
  ['the younger comes first', [young, old]],
])('of two Services that claim one address the older has it: %s', (_, services) => {
  const cluster = new Cluster()
  for (const object of services) cluster.apply({ type: 'put', object })
  expect(frontends(cluster, old)).toEqual([['10.96.0.1', ['198.18.0.7'], 30080]])
  expect(frontends(cluster, young)).toEqual([['10.96.0.2', [], undefined]])
})

test('the loser knows which Service has the frontend', () => {
  const cluster = new Cluster()
  for (const object of [old, young]) cluster.apply({ type: 'put', object })
  const [loser] = servicePorts(young, 'ipv4', cluster.claims)
  expect(loser!.lost).toEqual([
    { frontend: 'tcp 198.18.0.7 80', holder: 'shop/old' },
    { frontend: 'tcp ipv4 node 30080', holder: 'shop/old' },
  ])
})

test('the other has it when the winner goes, and is touched by it', () => {
  const cluster = new Cluster()
  for (const object of [old, young]) cluster.apply({ type: 'put', object })
  const touched = cluster.apply({ type: 'gone', kind: 'Service', name: old.name })
  expect([...touched.services].sort()).toEqual(['shop/old', 'shop/young'])
  expect(frontends(cluster, young)).toEqual([['10.96.0.2', ['198.18.0.7'], 30080]])
})

test('of two of the same age the first by name wins', () => {
  const cluster = new Cluster()
  const twin = { ...young, created: 1 }
  for (const object of [twin, old]) cluster.apply({ type: 'put', object })
  expect(frontends(cluster, twin)).toEqual([['10.96.0.2', [], undefined]])
})

test('a Service touches only those that claim the same frontends', () => {
  const cluster = new Cluster()
  cluster.apply({ type: 'put', object: old })
  const alone = service('shop/alone', ['10.96.0.3'])
  expect([...cluster.apply({ type: 'put', object: alone }).services]).toEqual([name('shop/alone')])
})
