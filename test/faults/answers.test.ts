import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { BOOKMARK_MS, Listener, rawNode, rawService, rawSlice } from './listener.ts'

// What the API server may answer instead of what we asked for, and what may stand in a watch that does not belong
// there.

let server: ApiServer
let listener: Listener

beforeEach(async () => {
  server = await startApiServer({ bookmarkMs: BOOKMARK_MS })
  for (const object of [rawService('cart'), rawService('till'), rawSlice('cart-1'), rawNode()]) server.store.put(object)
  listener = new Listener(server.url)
})

afterEach(async () => {
  await listener.stop()
  await server.close()
})

function times(resource = 'services'): number[] {
  return server.requests.filter(({ path }) => path.endsWith(resource)).map(({ time }) => time)
}

function watchedFrom(): string[] {
  return server.requests
    .filter(({ path, query }) => path.endsWith('services') && query.resourceVersion !== undefined)
    .map(({ query }) => query.resourceVersion!)
}

describe.each([[401], [403], [404], [429], [500], [503], [504]])('HTTP %i', code => {
  test('to a list: tried again until it works', async () => {
    await listener.stop()
    const undo = server.inject({ do: 'status', code, resource: 'services' })
    listener = new Listener(server.url)
    await listener.until(() => listener.stats.Service.failures >= 4, 'failures')
    expect(listener.names('Service')).toEqual([])
    undo()
    await listener.synced()
    await listener.equals(server.store)
  })

  test('to a watch: tried again where it was, and reported once', async () => {
    await listener.synced()
    const undo = server.inject({ do: 'status', code, on: 'watch', resource: 'services' })
    server.dropConnections()
    await listener.until(() => listener.stats.Service.failures >= 4, 'failures')
    server.store.remove('Service', 'shop', 'till')
    undo()
    await listener.equals(server.store)
    expect(listener.stats.Service.lists).toBe(1)
    const reason = `the API server answered ${code}: the API server answers ${code}`
    expect(listener.notices.filter(notice => 'reason' in notice && notice.reason === reason)).toHaveLength(1)
  })
})

test('Retry-After is honoured', async () => {
  await listener.synced()
  const before = times().length
  server.inject({ do: 'status', code: 429, retryAfterSeconds: 1, on: 'watch', resource: 'services', times: 1 })
  server.dropConnections()
  await listener.until(() => times().length >= before + 2, 'another watch')
  const [refused, next] = times().slice(before)
  // The limit of these tests is 600 ms; the back-off alone would be 20.
  expect(next! - refused!).toBeGreaterThanOrEqual(595)
})

describe('410: the history is gone', () => {
  test('as a status: everything is listed and compared, deletions included', async () => {
    await listener.synced()
    server.inject({ do: 'status', code: 410, on: 'watch', resource: 'services', times: 1 })
    server.dropConnections()
    server.store.remove('Service', 'shop', 'till')
    await listener.equals(server.store)
    await listener.until(() => listener.stats.Service.lists === 2, 'a second list')
    expect(listener.noticesOf('relisting')).toHaveLength(1)
  })

  test.each([['closes'], ['stays-open']] as const)('as an event on a stream that %s: at once', async stream => {
    await listener.synced()
    const flow = server.inject({ do: 'withhold', what: 'events', resource: 'services' })
    server.store.remove('Service', 'shop', 'till')
    server.inject({ do: 'error-event', code: 410, stream, on: 'watch', resource: 'services', times: 1 })
    flow()
    await listener.equals(server.store)
    expect(listener.stats.Service).toMatchObject({ gone: 1, lists: 2, silences: 0 })
  })

  test('again and again: we list later and later', async () => {
    await listener.synced()
    server.inject({ do: 'error-event', code: 410, stream: 'closes', on: 'watch', resource: 'services' })
    const before = times().length
    const since = performance.now()
    await listener.until(() => times().length > before + 10, 'requests')
    expect(performance.now() - since).toBeGreaterThan(200)
  })
})

describe('another ERROR event', () => {
  test.each([['closes'], ['stays-open']] as const)(
    'on a stream that %s: the watch goes on where it was',
    async stream => {
      await listener.synced()
      server.inject({ do: 'error-event', code: 500, stream, on: 'watch', resource: 'services', times: 1 })
      server.store.remove('Service', 'shop', 'till')
      await listener.equals(server.store)
      expect(listener.stats.Service).toMatchObject({ lists: 1, silences: 0 })
    },
  )
})

describe('what cannot be read', () => {
  test.each([['garble'], ['mistype']] as const)(
    '%s: a deletion is not lost, the watch asks for it again',
    async fault => {
      await listener.synced()
      const version = String(server.store.revision)
      server.inject({ do: fault, on: 'watch', resource: 'services', times: 2 })
      server.store.remove('Service', 'shop', 'till')
      await listener.equals(server.store)
      expect(watchedFrom()).toEqual([version, version])
      expect(listener.stats.Service).toMatchObject({ malformed: 2, lists: 1 })
      expect(listener.noticesOf('malformed')).toHaveLength(1)
    },
  )

  test('three times in the same place: everything is listed', async () => {
    await listener.synced()
    server.inject({ do: 'garble', on: 'watch', resource: 'services', times: 3 })
    server.store.remove('Service', 'shop', 'till')
    await listener.equals(server.store)
    expect(listener.stats.Service).toMatchObject({ malformed: 3, lists: 2 })
  })

  test('in the middle of good events: those before it are not delivered twice', async () => {
    await listener.synced()
    const before = listener.events.length
    server.inject({ do: 'garble', on: 'watch', resource: 'services', times: 1, after: 0 })
    for (let i = 0; i < 20; i++) server.store.put(rawService(`s${i}`))
    await listener.equals(server.store)
    expect(listener.events).toHaveLength(before + 20)
  })

  test('an object of which nothing is usable is a problem, not a failure', async () => {
    await listener.synced()
    server.store.put(rawService('cart', { clusterIP: 'nonsense', clusterIPs: ['nonsense'], ports: 'none' }))
    await listener.until(() => listener.events.some(({ type }) => type === 'problem'), 'a problem')
    server.store.put(rawService('till', { clusterIP: '10.96.0.77', clusterIPs: ['10.96.0.77'] }))
    const till = () => JSON.stringify(listener.objects.get('Service shop/till'))
    await listener.until(() => till().includes('10.96.0.77'), 'the next object')
    expect(listener.stats.Service).toMatchObject({ failures: 0, malformed: 0 })
  })
})

describe('where the watch stands', () => {
  test('a bookmark takes it further', async () => {
    await listener.synced()
    const heard = listener.stats.Service.lastActivityAt
    for (let i = 0; i < 5; i++) server.store.put(rawSlice('cart-1', `10.1.0.${i}`))
    await listener.equals(server.store)
    await listener.until(() => listener.stats.Service.lastActivityAt > heard, 'a bookmark')
    server.bookmark()
    server.dropConnections()
    await listener.until(() => watchedFrom().length > 0, 'a watch')
    expect(Number(watchedFrom()[0])).toBe(server.store.revision)
  })

  test('not past an event that is not applied yet', async () => {
    await listener.stop()
    let applying = () => {}
    const applied = new Promise<void>(resolve => {
      applying = resolve
    })
    const apply = (event: { type: string; name?: string }) => (event.type === 'gone' ? applied : undefined)
    listener = new Listener(server.url, { apply })
    await listener.synced()
    const version = String(server.store.revision)
    server.store.remove('Service', 'shop', 'till')
    await listener.until(() => listener.events.at(-1)?.type === 'gone', 'the deletion')
    server.dropConnections()
    server.store.put(rawService('new'))
    applying()
    await listener.equals(server.store)
    expect(watchedFrom().every(from => Number(from) >= Number(version))).toBe(true)
    expect(listener.stats.Service.lists).toBe(1)
  })
})
