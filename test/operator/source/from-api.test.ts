import { describe, expect, test } from 'vitest'
import type { ApiTransport } from '#kubernetes/transport.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { gatherFromApi, nodesFromApi, podsFromApi } from '#operator/source/from-api.ts'
import { captureLog } from '../../support/captured-log.ts'

// One look at an API server, of which each list is answered from a table. client/ and kernel/cluster/ have real ones.

const meta = (name: string) => ({ name, namespace: 'shop', uid: name })
const ITEMS: Readonly<Record<string, readonly unknown[]>> = {
  '/api/v1/services': [
    { metadata: meta('cart'), spec: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [{ port: 80 }] } },
    { metadata: meta('headless'), spec: { clusterIP: 'None', clusterIPs: ['None'], ports: [{ port: 80 }] } },
  ],
  '/apis/discovery.k8s.io/v1/endpointslices': [],
  '/api/v1/nodes': ['one', 'two'].map(name => ({
    ...{ metadata: { name, uid: name }, status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] } },
  })),
  '/apis/networking.k8s.io/v1/servicecidrs': [{ metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.96.0.0/16'] } }],
  '/api/v1/pods': [{ metadata: meta('web'), spec: { nodeName: 'one' }, status: { podIPs: [{ ip: '10.244.1.2' }] } }],
}

class Lists implements Pick<ApiTransport, 'get'> {
  readonly asked: URL[] = []
  readonly refused = new Map<string, number>()
  isSilent = false

  async get({ path, signal }: Parameters<ApiTransport['get']>[0]): ReturnType<ApiTransport['get']> {
    const url = new URL(path, 'http://a')
    this.asked.push(url)
    if (this.isSilent)
      await new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error)))
    const status = this.refused.get(url.pathname) ?? 200
    const text = JSON.stringify({ items: ITEMS[url.pathname] })
    return { status, headers: {}, body: { text: async () => text } } as Awaited<ReturnType<ApiTransport['get']>>
  }
}

const clock = new PaperClock()
const look = (transport: Lists, { log, lines } = captureLog()) => ({
  parts: { transport, nodeName: 'two', clock, log },
  lines,
})

test('a cluster has Services of every kind, all Nodes, and the ranges of Services', async () => {
  const transport = new Lists()
  const { cluster, nodes } = await gatherFromApi(look(transport).parts)
  expect([...cluster.services()].map(({ name }) => name)).toEqual(['shop/cart', 'shop/headless'])
  expect(nodes.map(({ name }) => name)).toEqual(['one', 'two'])
  expect(cluster.node?.name).toBe('two')
  expect(cluster.serviceRanges).toEqual(['10.96.0.0/16'])
  // Neither headless Services nor other Nodes are kept from us by a selector.
  expect(transport.asked.filter(({ searchParams }) => searchParams.has('fieldSelector'))).toEqual([])
})

describe('a list that is refused', () => {
  test.each([
    [
      '/api/v1/services',
      403,
      'the API server answered 403 to a list of Services (Forbidden: this user may not list them)',
    ],
    [
      '/api/v1/nodes',
      401,
      'the API server answered 401 to a list of Nodes (Unauthorized: the credentials are not accepted)',
    ],
    ['/apis/discovery.k8s.io/v1/endpointslices', 500, 'the API server answered 500 to a list of EndpointSlices'],
  ])('is named: %s, %d', async (path, status, line) => {
    const transport = new Lists()
    transport.refused.set(path, status)
    await expect(gatherFromApi(look(transport).parts)).rejects.toThrow(new Error(line))
  })

  test.each([403, 404])('of ranges of Services means that none are known (%d)', async status => {
    const transport = new Lists()
    transport.refused.set('/apis/networking.k8s.io/v1/servicecidrs', status)
    expect((await gatherFromApi(look(transport).parts)).cluster.serviceRanges).toEqual([])
  })

  test('of Nodes alone is named, too', async () => {
    const transport = new Lists()
    transport.refused.set('/api/v1/nodes', 403)
    await expect(nodesFromApi({ transport, clock })).rejects.toThrow(/^the API server answered 403 to a list of Nodes/)
  })

  test('of pods means that they are not known, which is a warning', async () => {
    const transport = new Lists()
    transport.refused.set('/api/v1/pods', 403)
    const { parts, lines } = look(transport)
    expect(await podsFromApi(parts)).toBeUndefined()
    expect(lines).toEqual([
      'pods are not known: the API server answered 403 to a list of them (Forbidden: this user may not list them)',
    ])
  })
})

test('pods are listed with their nodes, and Nodes without the rest', async () => {
  const { parts } = look(new Lists())
  expect(await podsFromApi(parts)).toMatchObject([{ pod: 'shop/web', node: 'one', addresses: ['10.244.1.2'] }])
  expect((await nodesFromApi(parts)).map(({ name }) => name)).toEqual(['one', 'two'])
})

test('lists that do not come within a minute are given up', async () => {
  const transport = new Lists()
  transport.isSilent = true
  const looking = podsFromApi(look(transport).parts)
  const given = expect(looking).rejects.toThrow('no lists for 60 s')
  await clock.advance(60_000)
  await given
})
