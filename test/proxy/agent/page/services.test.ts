import { describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { serviceSource } from '#proxy/agent/page/services.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { smallCluster } from '../../../page/clusters.ts'
import { endpoint, name, service, slice } from '../../../support/objects.ts'

function source(objects: readonly ClusterObject[] = smallCluster()) {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const refused = [{ owner: 'shop/web:http/tcp', unit: 'chain x', error: new Error('no room') }]
  const lane = { refused, draft: { nodeFacts: { thisNode: { nodeName: 'here' } } } }
  return serviceSource({ cluster, lanes: [lane] } as never, {} as never)
}

describe('the endpoints of a Service', () => {
  test('are counted by address: each once for all its ports, and one for each family', () => {
    expect(source().endpointCounts(name('shop/web'))).toEqual({ total: 4, ready: 3, local: 2 })
    expect(source().endpointCounts(name('shop/empty'))).toEqual({ total: 0, ready: 0, local: 0 })
  })

  test('that two slices have are one', () => {
    const pod = endpoint('10.244.1.2', { nodeName: 'here' })
    const slices = ['a', 'b'].map(called => slice(`shop/${called}`, 'shop/web', [pod]))
    const { endpointCounts } = source([service('shop/web', ['10.96.0.10']), ...slices])
    expect(endpointCounts(name('shop/web'))).toEqual({ total: 1, ready: 1, local: 1 })
  })

  test.each([
    ['10.244.1.2', true],
    ['10.244.1.', true],
    ['10.244.1.2:8080', true],
    ['fd00:244:1::2', true],
    ['[fd00:244:1::2]:8080', true],
    ['[fd00:244', true],
    ['10.244.9', false],
    ['244.1.2', false],
  ])('are searched for by the start of their address: %s: %s', (start, has) => {
    expect(source().hasEndpoint(name('shop/web'), start)).toBe(has)
  })
})

test('Services that the kernel refuses are named with the reason', () => {
  expect([...source().refused()]).toEqual([['shop/web', 'no room']])
})

test('a Service that is not there is none', () => {
  expect([source().service('shop/web')?.name, source().service('shop/gone')]).toEqual(['shop/web', undefined])
})
