import { expect, test } from 'vitest'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { cidr, name } from '../../support/objects.ts'

const range = (called: string, ...cidrs: readonly string[]) =>
  ({ kind: 'ServiceCIDR', name: name(called), cidrs: cidrs.map(cidr) }) as const

test('a cluster knows the ranges of its Services, each once, whatever order they came in', () => {
  const cluster = new Cluster()
  const touched = cluster.apply({ type: 'put', object: range('b', 'fd10:96::/108', '10.112.0.0/16') })
  cluster.apply({ type: 'put', object: range('a', '10.96.0.0/12', '10.112.0.0/16') })
  expect(cluster.serviceRanges).toEqual(['10.112.0.0/16', '10.96.0.0/12', 'fd10:96::/108'])
  expect(touched).toMatchObject({ ranges: true, node: false })
  cluster.apply({ type: 'gone', kind: 'ServiceCIDR', name: name('b') })
  expect(cluster.serviceRanges).toEqual(['10.112.0.0/16', '10.96.0.0/12'])
})

test('a cluster is complete without them', () => {
  const cluster = new Cluster()
  for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) cluster.apply({ type: 'synced', kind })
  expect(cluster.complete).toBe(true)
})
