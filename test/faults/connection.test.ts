import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { BOOKMARK_MS, Listener, rawNode, rawService, rawSlice } from './listener.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

// What breaks between the agent and the API server, or with it. In every case the agent notices, comes back, and has
// lost nothing.

let server: ApiServer
let proxy: TcpProxy
let listener: Listener

beforeEach(async () => {
  server = await startApiServer({ bookmarkMs: BOOKMARK_MS })
  proxy = await startTcpProxy({ port: server.port })
  for (const object of [rawService('cart'), rawService('till'), rawSlice('cart-1'), rawNode()]) server.store.put(object)
  listener = new Listener(`http://127.0.0.1:${proxy.port}`)
})

afterEach(async () => {
  await listener.stop()
  await proxy.close()
  await server.close()
})

/** A change of each sort: something comes, something changes, something goes. */
function change(): void {
  server.store.put(rawService('new'))
  server.store.put(rawSlice('cart-1', '10.1.0.99'))
  server.store.remove('Service', 'shop', 'till')
}

function watches(resource = 'services'): number {
  return server.requests.filter(({ path, query }) => path.endsWith(resource) && query.watch).length
}

test('the first picture, then changes as they come', async () => {
  await listener.synced()
  expect(listener.names('Service')).toEqual(['shop/cart', 'shop/till'])
  expect(listener.names('EndpointSlice')).toEqual(['shop/cart-1'])
  expect(listener.names('Node')).toEqual(['n1'])
  change()
  await listener.equals(server.store)
  expect(listener.stats.Service).toMatchObject({ synced: true, objects: 2, lists: 1, watches: 1, failures: 0 })
  expect(listener.noticesOf('synced')).toHaveLength(3)
})

describe('a watch that ends', () => {
  test.each([['close'], ['reset'], ['truncate']] as const)('by %s goes on where it was, at once', async fault => {
    await listener.synced()
    await listener.until(() => listener.stats.Service.lastActivityAt > 0, 'a bookmark')
    const before = listener.events.length
    server.inject({ do: fault, on: 'watch', times: 3 })
    change()
    await listener.equals(server.store)
    expect(listener.events).toHaveLength(before + 3)
    expect(listener.stats.Service.lists).toBe(1)
  })

  test('again and again without an event: we come back later and later, and still lose nothing', async () => {
    await listener.synced()
    const undo = server.inject({ do: 'close', on: 'watch', resource: 'services' })
    const started = watches()
    await listener.until(() => watches() > started + 5, 'more watches')
    const since = performance.now()
    await listener.until(() => watches() > started + 8, 'more watches')
    // 80–160 ms each by now; without back-off they would come within 10.
    expect(performance.now() - since).toBeGreaterThan(150)
    change()
    undo()
    await listener.equals(server.store)
    expect(listener.stats.Service.lists).toBe(1)
    expect(listener.noticesOf('waiting')).toHaveLength(1)
  })
})

describe('an API server that is away', () => {
  test('from the beginning: we wait, say so once, and are there when it comes', async () => {
    await listener.stop()
    const { port } = server
    await server.close()
    listener = new Listener(`http://127.0.0.1:${port}`)
    await listener.until(() => listener.stats.Service.failures > 4, 'failures')
    expect(listener.noticesOf('waiting')).toEqual([
      {
        what: 'waiting',
        resource: expect.any(String),
        reason: `cannot reach http://127.0.0.1:${port} (connect ECONNREFUSED 127.0.0.1:${port})`,
        retryMs: expect.any(Number),
      },
    ])
    server = await startApiServer({ port, store: server.store, bookmarkMs: BOOKMARK_MS })
    await listener.synced()
    await listener.equals(server.store)
    expect(listener.noticesOf('back').length).toBeGreaterThan(0)
  })

  test('for a while: the watch goes on where it was, deletions included', async () => {
    await listener.synced()
    await proxy.refuse()
    proxy.reset()
    await listener.until(() => listener.stats.Service.failures > 3, 'failures')
    change()
    await proxy.heal()
    await listener.equals(server.store)
    expect(listener.stats.Service.lists).toBe(1)
    expect(listener.noticesOf('back').length).toBeGreaterThan(0)
  })

  test('killed and started again, its history forgotten: everything is listed and compared', async () => {
    await listener.synced()
    const { port, store } = server
    server.dropConnections()
    await server.close()
    change()
    store.compact()
    const before = listener.events.length
    server = await startApiServer({ port, store, bookmarkMs: BOOKMARK_MS })
    await listener.equals(store)
    // What has not changed is not delivered again, what went is delivered before what came.
    expect(
      listener.events.slice(before).filter(event => event.type !== 'put' || event.object.kind === 'Service'),
    ).toEqual([
      { type: 'gone', kind: 'Service', name: 'shop/till' },
      { type: 'put', object: expect.objectContaining({ name: 'shop/new' }) },
    ])
    expect(listener.stats.Service).toMatchObject({ lists: 2, gone: 1 })
  })

  test('on its way down: it takes no new connections, but the watches live on', async () => {
    await listener.synced()
    await proxy.refuse()
    change()
    await listener.equals(server.store)
    expect(listener.stats.Service.failures).toBe(0)
  })
})

describe('a connection that is there, and dead', () => {
  test('a watch on which nothing comes any more is given up and goes on elsewhere', async () => {
    await listener.synced()
    proxy.stall()
    change()
    await listener.equals(server.store)
    expect(listener.stats.Service).toMatchObject({ silences: 1, lists: 1 })
    expect(listener.noticesOf('silent').length).toBeGreaterThan(0)
  })

  test('even if the API server is gone and no packet said so', async () => {
    await listener.synced()
    proxy.orphan()
    change()
    await listener.equals(server.store)
    expect(listener.stats.Service.lists).toBe(1)
  })

  test('a watch that is quiet, but hears bookmarks, is left alone', async () => {
    await listener.synced()
    const started = watches()
    const asked = performance.now()
    await listener.until(() => performance.now() - asked > 900, 'time')
    expect(watches()).toBe(started)
    expect(listener.stats.Service.silences).toBe(0)
  })

  test('connections that are taken and never answered: we hang up, and come back when it heals', async () => {
    await listener.synced()
    proxy.blackHole()
    proxy.reset()
    await listener.until(() => listener.stats.Service.silences > 1, 'silences')
    change()
    await proxy.heal()
    await listener.equals(server.store)
    expect(listener.stats.Service.lists).toBe(1)
  })

  test.each([
    ['headers', 'streamed'],
    ['body', 'paged'],
    ['half', 'paged'],
  ] as const)('a list that stalls at its %s does not stall us: the next one is %s', async (at, next) => {
    await listener.stop()
    const undo = server.inject({ do: 'stall', at, on: 'watch', resource: 'services', times: 1 })
    const undoPages = server.inject({ do: 'stall', at, on: 'list', resource: 'services', times: 1 })
    listener = new Listener(server.url)
    await listener.synced()
    await listener.equals(server.store)
    undo()
    undoPages()
    expect(listener.noticesOf('fallback')).toHaveLength(next === 'paged' ? 1 : 0)
    expect(listener.stats.Service.silences).toBe(next === 'paged' ? 2 : 1)
  })
})

test('a listener that takes its time is not taken for silence', async () => {
  await listener.stop()
  let slow = 2
  const apply = async () => {
    if (slow-- > 0) await new Promise(resolve => setTimeout(resolve, 450))
  }
  listener = new Listener(server.url, { apply })
  await listener.synced()
  await listener.equals(server.store)
  expect(listener.stats.Service.silences + listener.stats.EndpointSlice.silences).toBe(0)
})
