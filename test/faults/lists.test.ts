import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { WatchLimits } from '#kubernetes/watch/limits.ts'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { BOOKMARK_MS, Listener, rawNode, rawService, rawSlice } from './listener.ts'

// How the first picture is got, and every later one.

let server: ApiServer
let listener: Listener

beforeEach(async () => {
  server = await startApiServer({ bookmarkMs: BOOKMARK_MS })
  for (const object of [rawService('cart'), rawService('till'), rawSlice('cart-1'), rawNode()]) server.store.put(object)
})

afterEach(async () => {
  await listener.stop()
  await server.close()
})

function listen(limits: Partial<WatchLimits> = {}): void {
  listener = new Listener(server.url, { limits })
}

function queries(resource = 'services'): Readonly<Record<string, string>>[] {
  return server.requests.filter(({ path }) => path.endsWith(resource)).map(({ query }) => query)
}

describe('a streamed list', () => {
  test('is one request, which goes on as a watch', async () => {
    listen()
    await listener.synced()
    server.store.put(rawService('new'))
    await listener.equals(server.store)
    expect(queries()).toEqual([
      {
        watch: 'true',
        allowWatchBookmarks: 'true',
        sendInitialEvents: 'true',
        resourceVersionMatch: 'NotOlderThan',
        timeoutSeconds: expect.stringMatching(/^([345]\d\d|600)$/),
        labelSelector: '!service.kubernetes.io/service-proxy-name',
        fieldSelector: 'spec.clusterIP!=None',
      },
    ])
  })

  test.each([['status-400'], ['status-422'], ['error-event'], ['never-ends']] as const)(
    'that the API server does not know (%s) is replaced by pages, for good',
    async how => {
      server.inject({ do: 'refuse-watch-list', how })
      listen()
      await listener.synced()
      await listener.equals(server.store)
      expect(listener.noticesOf('fallback').length).toBeGreaterThanOrEqual(3)
      server.store.compact()
      server.inject({ do: 'error-event', code: 410, stream: 'closes', on: 'watch', resource: 'services', times: 1 })
      server.store.remove('Service', 'shop', 'till')
      await listener.equals(server.store)
      await listener.until(() => listener.stats.Service.lists === 2, 'a second list')
      expect(queries().filter(({ sendInitialEvents }) => sendInitialEvents)).toHaveLength(1)
    },
  )

  test('that keeps coming and never ends is given up, too', async () => {
    server.inject({ do: 'refuse-watch-list', how: 'never-ends', resource: 'services' })
    listen({ streamedListMs: 300 })
    let port = 1
    const busy = setInterval(() => server.store.put(rawService('cart', { ports: [{ port: port++ }] })), 20)
    await listener.until(() => listener.noticesOf('fallback').length > 0, 'pages')
    clearInterval(busy)
    await listener.equals(server.store)
    expect(listener.noticesOf('fallback')).toMatchObject([{ reason: 'a streamed list does not end' }])
  })
})

describe('a list in pages', () => {
  beforeEach(() => {
    server.inject({ do: 'refuse-watch-list', how: 'status-422' })
    for (let i = 0; i < 30; i++) server.store.put(rawService(`s${i}`))
  })

  test('is put together, and the watch begins where it ends', async () => {
    listen({ pageSize: 10 })
    await listener.synced()
    await listener.equals(server.store)
    const pages = queries().filter(({ limit }) => limit === '10')
    expect(pages).toHaveLength(4)
    await listener.until(() => listener.stats.Service.watches === 1, 'the watch')
    expect(queries().at(-1)).toMatchObject({ watch: 'true', resourceVersion: String(server.store.revision) })
  })

  test('is zipped on the way, as watches never are', async () => {
    const annotations = { note: 'x'.repeat(9000) }
    for (let i = 0; i < 30; i++) {
      const service = rawService(`s${i}`)
      server.store.put({ ...service, metadata: { ...service.metadata, annotations } })
    }
    listen()
    await listener.synced()
    await listener.equals(server.store)
    const encodings = server.requests.map(({ query, headers }) => [Boolean(query.watch), headers['accept-encoding']])
    expect(encodings).toContainEqual([false, 'gzip'])
    expect(encodings).not.toContainEqual([true, 'gzip'])
  })

  test('takes longer than the API server remembers: it begins anew', async () => {
    server.inject({ do: 'expire-continue', resource: 'services', times: 2 })
    listen({ pageSize: 10 })
    await listener.synced()
    await listener.equals(server.store)
    expect(listener.stats.Service).toMatchObject({ gone: 2, lists: 1 })
  })

  test.each([['close'], ['reset'], ['truncate']] as const)('breaks off (%s): it begins anew', async fault => {
    server.inject({ do: fault, on: 'list', resource: 'services', times: 2, after: 1 })
    listen({ pageSize: 10 })
    await listener.synced()
    await listener.equals(server.store)
    expect(listener.stats.Service.lists).toBe(1)
  })
})

describe('what is asked for', () => {
  test('only what concerns this proxy and this node', async () => {
    const foreign = rawService('foreign')
    const labels = { 'service.kubernetes.io/service-proxy-name': 'other' }
    server.store.put({ ...foreign, metadata: { ...foreign.metadata, labels } })
    server.store.put(rawService('headless', { clusterIP: 'None', clusterIPs: ['None'] }))
    const slice = rawSlice('headless-1')
    const headless = { ...slice.metadata.labels, 'service.kubernetes.io/headless': '' }
    server.store.put({ ...slice, metadata: { ...slice.metadata, labels: headless } })
    server.store.put(rawNode('n2'))
    listen()
    await listener.synced()
    expect(listener.names('Service')).toEqual(['shop/cart', 'shop/till'])
    expect(listener.names('EndpointSlice')).toEqual(['shop/cart-1'])
    expect(listener.names('Node')).toEqual(['n1'])
    server.store.patch('Service', { namespace: 'shop', name: 'cart' }, { metadata: { labels } })
    await listener.until(() => listener.names('Service').length === 1, 'the handover to the other proxy')
  })

  test.each([['streamed'], ['paged']] as const)(
    'without a field selector the API server does not know (%s)',
    async how => {
      const message = 'field label not supported: spec.clusterIP'
      if (how === 'paged') server.inject({ do: 'refuse-watch-list', how: 'status-400' })
      const on = how === 'paged' ? 'list' : 'watch'
      server.inject({ do: 'status', code: 400, message, on, resource: 'services', times: 1 })
      listen()
      await listener.synced()
      await listener.equals(server.store)
      expect(queries().at(-1)).not.toHaveProperty('fieldSelector')
      expect(queries('nodes').at(-1)).toHaveProperty('fieldSelector', 'metadata.name=n1')
      expect(listener.noticesOf('unselected')).toMatchObject([
        { resource: 'Service', selector: 'spec.clusterIP!=None' },
      ])
    },
  )

  test('an empty cluster has a complete picture, too', async () => {
    for (const name of ['cart', 'till']) server.store.remove('Service', 'shop', name)
    listen()
    await listener.synced()
    expect(listener.stats.Service).toMatchObject({ objects: 0, synced: true })
  })
})

describe('one name, another object', () => {
  async function replaced(while_: () => Promise<void>): Promise<void> {
    listen()
    await listener.synced()
    await while_()
    await listener.until(() => uid() === 'another', 'the other one')
    await listener.equals(server.store)
  }
  const uid = () => (listener.objects.get('Service shop/cart') as { uid?: string } | undefined)?.uid
  const replace = () => {
    const { metadata, ...rest } = rawService('cart')
    server.store.remove('Service', 'shop', 'cart')
    server.store.put({ ...rest, metadata: { ...metadata, uid: 'another' } })
  }

  test('on a watch', () => replaced(async () => replace()))

  test('while no watch was open', () =>
    replaced(async () => {
      const undo = server.inject({ do: 'status', code: 503 })
      server.dropConnections()
      replace()
      server.store.compact()
      undo()
    }))
})
