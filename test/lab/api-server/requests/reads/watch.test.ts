import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { ApiStore } from '#lab/api-server/store.ts'
import { ask, OpenWatch, putServices, service } from '../../api-client.ts'

let server: ApiServer
const WATCH_LIST = 'allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan'

beforeEach(async () => {
  server = await startApiServer({ bookmarkMs: 0, store: new ApiStore({ history: 50 }) })
})
afterEach(() => server.close())

function watch(query: string): Promise<OpenWatch> {
  return OpenWatch.open(`${server.url}/api/v1/services?watch=true&${query}`)
}

describe('a watch', () => {
  test('sends every change after its resourceVersion, with kind and apiVersion', async () => {
    server.store.put(service('old'))
    const events = await watch('resourceVersion=2')
    server.store.put(service('cart'))
    server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
    server.store.patch('Service', { namespace: 'shop', name: 'cart' }, { spec: { type: 'NodePort' } })
    server.store.remove('Service', 'shop', 'old')
    const added = await events.next()
    expect(added).toMatchObject({ type: 'ADDED', object: { kind: 'Service', apiVersion: 'v1' } })
    expect(added.object.metadata).toMatchObject({ name: 'cart', resourceVersion: '3' })
    const modified = await events.next()
    expect(modified.object).toMatchObject({ metadata: { resourceVersion: '5' }, spec: { type: 'NodePort' } })
    const deleted = await events.next()
    expect(deleted).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'old', resourceVersion: '6' } } })
  })

  test('sends what happened between a list and itself', async () => {
    putServices(server.store, 3)
    const list = await ask(`${server.url}/api/v1/services`)
    server.store.remove('Service', 'shop', 's-00001')
    const events = await watch(`resourceVersion=${list.body.metadata.resourceVersion}`)
    expect(await events.brief(1)).toEqual(['DELETED s-00001'])
  })

  test.each(['', 'resourceVersion=0'])('without a resourceVersion (%s) starts with what is there', async query => {
    putServices(server.store, 2)
    const events = await watch(query)
    server.store.put(service('x'))
    expect(await events.brief(3)).toEqual(['ADDED s-00000', 'ADDED s-00001', 'ADDED x'])
  })

  test('of objects that start or stop to match sees them come and go', async () => {
    server.store.put(service('cart'))
    const query = 'resourceVersion=2&labelSelector=!hidden&fieldSelector=spec.clusterIP!=None'
    const events = await watch(query)
    const cart = { namespace: 'shop', name: 'cart' }
    server.store.patch('Service', cart, { spec: { type: 'NodePort' } })
    server.store.patch('Service', cart, { metadata: { labels: { hidden: 'yes' } } })
    server.store.patch('Service', cart, { spec: { type: 'ClusterIP' } })
    server.store.patch('Service', cart, { metadata: { labels: { hidden: null } } })
    server.store.patch('Service', cart, { spec: { clusterIP: 'None' } })
    server.store.remove('Service', 'shop', 'cart')
    server.store.put(service('end'))
    expect(await events.brief(5)).toEqual(['MODIFIED cart', 'DELETED cart', 'ADDED cart', 'DELETED cart', 'ADDED end'])
  })

  test('sends an object that stopped to match in its last matching state, at the new resourceVersion', async () => {
    server.store.put(service('cart', { type: 'NodePort' }))
    const events = await watch('resourceVersion=2&labelSelector=!hidden')
    const patch = { metadata: { labels: { hidden: 'yes' } }, spec: { type: 'ClusterIP' } }
    server.store.patch('Service', { namespace: 'shop', name: 'cart' }, patch)
    const { object } = await events.next()
    expect(object).toMatchObject({ metadata: { resourceVersion: '3', labels: {} }, spec: { type: 'NodePort' } })
  })

  test('of a namespace sees only that', async () => {
    const url = `${server.url}/api/v1/namespaces/bank/services?watch=1`
    const events = await OpenWatch.open(url)
    server.store.put(service('cart'))
    const teller = service('teller')
    server.store.put({ ...teller, metadata: { ...teller.metadata, namespace: 'bank' } })
    expect(await events.brief(1)).toEqual(['ADDED teller'])
  })

  test('from a resourceVersion that is no longer remembered gets an ERROR event 410 and ends', async () => {
    putServices(server.store, 200)
    const events = await watch('resourceVersion=3')
    expect(events.code).toBe(200)
    expect(await events.next()).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired' },
    })
    expect(await events.over()).toBe('end')
  })

  test('from the future is answered at once, and says nothing before that time has come', async () => {
    const early = await watch('resourceVersion=3')
    putServices(server.store, 3)
    expect(await early.brief(1)).toEqual(['ADDED s-00002'])
  })

  test('ends when its time is up', async () => {
    const events = await watch('timeoutSeconds=0.05')
    expect(await events.over()).toBe('end')
  })

  test('of more than the buffers hold sends all', async () => {
    putServices(server.store, 20_000)
    const events = await watch(WATCH_LIST)
    const sent = await events.brief(20_001)
    expect(sent.at(-1)).toBe('BOOKMARK 20001 end')
    expect(new Set(sent).size).toBe(20_001)
  })
})

describe('bookmarks', () => {
  test('come when asked for, at the newest resourceVersion, whatever kind it belongs to', async () => {
    server.store.put(service('cart'))
    const events = await watch('resourceVersion=2&allowWatchBookmarks=true')
    server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
    server.bookmark()
    const { type, object } = await events.next()
    expect(type).toBe('BOOKMARK')
    expect(object).toMatchObject({ kind: 'Service', apiVersion: 'v1', metadata: { resourceVersion: '3' } })
  })

  test('come by themselves', async () => {
    const quick = await startApiServer({ bookmarkMs: 20 })
    const events = await OpenWatch.open(`${quick.url}/api/v1/services?watch=true&allowWatchBookmarks=true`)
    expect(await events.brief(2)).toEqual(['BOOKMARK 1', 'BOOKMARK 1'])
    await quick.close()
  })

  test('do not come unasked', async () => {
    const events = await watch('resourceVersion=')
    server.bookmark()
    server.store.put(service('cart'))
    expect(await events.brief(1)).toEqual(['ADDED cart'])
  })
})

describe('WatchList', () => {
  test('sends what is there, says that this was all, and goes on', async () => {
    putServices(server.store, 2)
    const events = await watch(WATCH_LIST)
    server.store.put(service('x'))
    expect(await events.brief(4)).toEqual(['ADDED s-00000', 'ADDED s-00001', 'BOOKMARK 3 end', 'ADDED x'])
  })

  test('of nothing ends at once', async () => {
    const events = await OpenWatch.open(`${server.url}/apis/networking.k8s.io/v1/ipaddresses?watch=true&${WATCH_LIST}`)
    expect(await events.brief(1)).toEqual(['BOOKMARK 1 end'])
  })

  test.each([
    ['sendInitialEvents=true', 422],
    ['resourceVersionMatch=NotOlderThan', 422],
    [`${WATCH_LIST}&resourceVersion=1000`, 504],
    ['resourceVersion=abc', 400],
  ])('%s is refused with %i', async (query, code) => {
    const answer = await ask(`${server.url}/api/v1/services?watch=true&${query}`)
    expect(answer).toMatchObject({ code, body: { kind: 'Status', code } })
  })
})
