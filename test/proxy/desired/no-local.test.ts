import { expect, test } from 'vitest'
import type { ClusterObject, Service } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { noLocalEndpoints } from '#proxy/desired/no-local.ts'
import { resolve } from '#proxy/desired/resolve.ts'
import { endpoint, name, port, service, slice } from '../../support/objects.ts'

const PLACE = { family: 'ipv4', nodeName: 'here', masquerade: 'never' } as const
const OUTWARD = { type: 'NodePort', ports: [port({ port: 80, nodePort: 30_080 })] } as const

function counted(more: Partial<Service>, ...endpoints: Parameters<typeof slice>[2]) {
  const cluster = new Cluster()
  const objects: ClusterObject[] = [service('shop/cart', ['10.96.0.10'], more), slice('shop/a', 'shop/cart', endpoints)]
  for (const object of objects) cluster.apply({ type: 'put', object })
  return noLocalEndpoints(resolve(cluster, name('shop/cart'), PLACE))
}

const THERE = endpoint('10.1.0.1', { nodeName: 'there' })
const HERE = endpoint('10.1.0.2', { nodeName: 'here' })

test('a port with policy Local whose endpoints are all elsewhere counts, inside and outside apart', () => {
  expect(counted({ internalPolicy: 'Local' }, THERE)).toEqual({ internal: 1, external: 0 })
  expect(counted({ ...OUTWARD, externalPolicy: 'Local' }, THERE)).toEqual({ internal: 0, external: 1 })
})

test('with an endpoint here, with policy Cluster, or without any endpoint, none does', () => {
  const local = { ...OUTWARD, internalPolicy: 'Local', externalPolicy: 'Local' } as const
  expect(counted(local, THERE, HERE)).toEqual({ internal: 0, external: 0 })
  expect(counted(OUTWARD, THERE)).toEqual({ internal: 0, external: 0 })
  expect(counted(local)).toEqual({ internal: 0, external: 0 })
})
