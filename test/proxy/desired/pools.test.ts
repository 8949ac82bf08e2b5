import { describe, expect, test } from 'vitest'
import type { SliceEndpoint } from '#kubernetes/objects.ts'
import type { ServicePort } from '#proxy/cluster/service-ports.ts'
import { endpointsOf } from '#proxy/cluster/slices.ts'
import { isOutward, pools } from '#proxy/desired/pools.ts'
import type { ThisNode } from '#proxy/desired/this-node.ts'
import { endpoint, ip, name, port, slice } from '../../support/objects.ts'

const HERE: ThisNode = { family: 'ipv4', nodeName: 'here', zone: 'a', masquerade: 'from-outside' }
const PORT: ServicePort = {
  id: 'shop/cart',
  service: name('shop/cart'),
  ...{ name: port({ port: 80 }).name, protocol: 'tcp', port: 80, clusterIP: ip('10.96.0.10') },
  ...{ externalIPs: [], loadBalancerIPs: [], sourceRanges: [], lost: [] },
  ...{ externalPolicy: 'Cluster', internalPolicy: 'Cluster' },
}
const LOCAL = { internalPolicy: 'Local' } as const
const OUTWARD_LOCAL = { externalPolicy: 'Local', nodePort: 30080 } as const

const here = (last: number, more: Partial<SliceEndpoint> = {}) =>
  endpoint(`10.1.0.${last}`, { nodeName: 'here', ...more })
const there = (last: number, more: Partial<SliceEndpoint> = {}) =>
  endpoint(`10.1.0.${last}`, { nodeName: 'there', ...more })
const LEAVING = { ready: false, terminating: true }
const ENDED = { ready: false, serving: false, terminating: true }
const STARTING = { ready: false, serving: false }

/** Last numbers of addresses. */
function chosen(more: Partial<ServicePort>, endpoints: readonly SliceEndpoint[], thisNode = HERE) {
  const known = endpointsOf([slice('shop/a', 'shop/cart', endpoints)], '', 'tcp')
  const { any, ...lists } = pools({ ...PORT, ...more }, known, thisNode)
  const last = (list: readonly { readonly ip: string }[]) => list.map(one => Number(one.ip.split('.')[3]))
  return { any, cluster: last(lists.cluster), local: last(lists.local), leaving: last(lists.leaving) }
}

describe('the pools that a port draws from', () => {
  const both = [here(1), there(2)]

  test.each([
    ['policy Cluster', {}, [1, 2], []],
    ['internal policy Local', LOCAL, [], [1]],
    ['internal policy Local and a frontend for outside', { ...LOCAL, nodePort: 30080 }, [1, 2], [1]],
    ['external policy Local', OUTWARD_LOCAL, [1, 2], [1]],
    ['external policy Local without a frontend for outside', { externalPolicy: 'Local' }, [1, 2], []],
    ['both policies Local', { ...LOCAL, ...OUTWARD_LOCAL }, [1, 2], [1]],
  ] as const)('with %s', (_, more, cluster, local) => {
    expect(chosen(more, both)).toMatchObject({ any: true, cluster, local })
  })

  test('on a node without a name, none is here', () => {
    const nameless = endpoint('10.1.0.1', { nodeName: '' })
    expect(chosen(LOCAL, [nameless], { ...HERE, nodeName: '' })).toMatchObject({ any: true, local: [] })
  })

  test('say of each endpoint whether it is on this node', () => {
    const known = endpointsOf([slice('shop/a', 'shop/cart', both)], '', 'tcp')
    expect(pools(PORT, known, HERE).cluster).toEqual([
      { ip: '10.1.0.1', port: 8080, text: '10.1.0.1:8080', local: true },
      { ip: '10.1.0.2', port: 8080, text: '10.1.0.2:8080', local: false },
    ])
  })
})

describe('endpoints that terminate', () => {
  test('are taken where none is ready, and only those that still serve', () => {
    expect(chosen({}, [here(1), here(2, LEAVING)]).cluster).toEqual([1])
    expect(chosen({}, [here(1, STARTING), here(2, LEAVING), here(3, ENDED)]).cluster).toEqual([2])
  })

  test('are taken in each pool by itself', () => {
    const found = chosen(OUTWARD_LOCAL, [here(1, LEAVING), there(2)])
    expect(found).toMatchObject({ cluster: [2], local: [1] })
  })
})

describe('any', () => {
  test('is false where no endpoint could answer: connections are refused at once', () => {
    for (const more of [{}, LOCAL, OUTWARD_LOCAL]) {
      expect(chosen(more, [])).toMatchObject({ any: false, cluster: [], local: [] })
      expect(chosen(more, [here(1, STARTING), there(2, ENDED)]).any).toBe(false)
    }
  })

  test('is true with policy Local where another node has an endpoint: connections are dropped here', () => {
    expect(chosen(LOCAL, [there(1)])).toMatchObject({ any: true, cluster: [], local: [] })
    expect(chosen(LOCAL, [there(1, LEAVING)]).any).toBe(true)
  })
})

describe('endpoints in no pool', () => {
  const all = [here(1), there(2, LEAVING), there(3, ENDED), there(4, STARTING)]

  test('may finish over TCP in whatever condition they are', () => {
    expect(chosen({}, all).leaving).toEqual([2, 3, 4])
  })

  test('keep their flows over UDP only while they serve', () => {
    expect(chosen({ protocol: 'udp' }, all).leaving).toEqual([2])
  })

  test('are none where all are chosen', () => {
    expect(chosen({}, [here(1), there(2)]).leaving).toEqual([])
  })
})

test('hints narrow the pool of the cluster, and not that of this node', () => {
  const endpoints = [here(1, { forZones: ['b'] }), there(2, { forZones: ['a'] })]
  expect(chosen(OUTWARD_LOCAL, endpoints)).toMatchObject({ cluster: [2], local: [1], leaving: [] })
})

test.each([
  [{}, false],
  [{ nodePort: 30080 }, true],
  [{ externalIPs: [ip('192.0.2.1')] }, true],
  [{ loadBalancerIPs: [ip('192.0.2.1')] }, true],
])('a port with %j has a frontend for outside: %s', (more, outward) => {
  expect(isOutward({ ...PORT, ...more })).toBe(outward)
})
