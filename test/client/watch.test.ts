import {
  CoreV1Api,
  DiscoveryV1Api,
  type KubeConfig,
  type KubernetesObject,
  makeInformer,
  type V1Service,
  Watch,
} from '@kubernetes/client-node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { configFor } from './client.ts'

let server: ApiServer
let config: KubeConfig

beforeEach(async () => {
  server = await startApiServer()
  config = configFor(server)
})
afterEach(() => server.close())

const SERVICES = '/api/v1/services'

/** The machine may be busy: what does not come at all is found out all the same. */
const poll = <T>(read: () => T) => expect.poll(read, { interval: 5, timeout: 10_000 })

function put(name: string, more: { readonly port?: number; readonly labels?: Record<string, string> } = {}): void {
  const { port = 80, labels = {} } = more
  const service: V1Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop', labels },
    spec: { clusterIP: '10.96.0.10', ports: [{ port }] },
  }
  server.store.put(service)
}

function remove(name: string): void {
  server.store.remove('Service', 'shop', name)
}

describe('a Watch', () => {
  /** What a watch hears, as `TYPE name`; bookmarks as `BOOKMARK resourceVersion`. */
  async function heard(query: Record<string, string | boolean> = {}) {
    const lines: string[] = []
    const over = Promise.withResolvers<unknown>()
    const onEvent = (type: string, object: KubernetesObject & { code?: number }) => {
      const { name, resourceVersion } = object.metadata ?? {}
      lines.push(`${type} ${type === 'BOOKMARK' ? resourceVersion : (name ?? object.code)}`)
    }
    const controller = await new Watch(config).watch(SERVICES, query, onEvent, over.resolve)
    return { lines, over: over.promise, stop: () => controller.abort() }
  }

  test('hears of what is there and of every change', async () => {
    put('cart')
    const { lines, stop } = await heard()
    put('cart', { port: 81 })
    put('web')
    remove('cart')
    await poll(() => lines).toEqual(['ADDED cart', 'MODIFIED cart', 'ADDED web', 'DELETED cart'])
    stop()
  })

  test('of some objects hears of those that come and go', async () => {
    const { lines, stop } = await heard({ labelSelector: 'tier=front' })
    put('cart')
    put('cart', { labels: { tier: 'front' } })
    put('cart')
    await poll(() => lines).toEqual(['ADDED cart', 'DELETED cart'])
    stop()
  })

  test('gets bookmarks, and the end of the first picture', async () => {
    put('cart')
    const { lines, stop } = await heard({
      allowWatchBookmarks: true,
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
    })
    await poll(() => lines).toEqual(['ADDED cart', 'BOOKMARK 2'])
    server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
    server.bookmark()
    await poll(() => lines.at(-1)).toBe('BOOKMARK 3')
    stop()
  })

  test('ends when the server ends it, and is refused with a code', async () => {
    const { over } = await heard({ timeoutSeconds: '0.05' })
    expect(await over).toBeNull()
    server.inject({ do: 'status', code: 403, times: 1 })
    expect(await (await heard()).over).toMatchObject({ statusCode: 403 })
  })

  test('from a forgotten resourceVersion hears 410', async () => {
    put('cart')
    server.inject({ do: 'compact' })
    const { lines, over } = await heard({ resourceVersion: '1' })
    await over
    expect(lines).toEqual(['ERROR 410'])
  })
})

describe('an informer', () => {
  /** An informer of Services, and what it reports as `add name port`. */
  function informer(labelSelector?: string) {
    const core = config.makeApiClient(CoreV1Api)
    const list = () => core.listServiceForAllNamespaces(labelSelector === undefined ? {} : { labelSelector })
    const made = makeInformer<V1Service>(config, SERVICES, list, labelSelector)
    const reports: string[] = []
    for (const verb of ['add', 'update', 'delete'] as const) {
      made.on(verb, ({ metadata, spec }) => reports.push(`${verb} ${metadata!.name} ${spec!.ports![0]!.port}`))
    }
    const errors: unknown[] = []
    made.on('error', error => errors.push(error))
    const names = () => made.list().map(({ metadata }) => metadata!.name)
    return { made, reports, errors, names }
  }

  test('follows changes from a list on', async () => {
    put('cart')
    const { made, reports, names } = informer()
    await made.start()
    expect(reports).toEqual(['add cart 80'])
    put('web')
    put('cart', { port: 81 })
    remove('web')
    await poll(() => reports.slice(1)).toEqual(['add web 80', 'update cart 81', 'delete web 80'])
    expect(names()).toEqual(['cart'])
    expect(made.get('cart', 'shop')!.spec!.ports![0]!.port).toBe(81)
    await made.stop()
  })

  test('of a label sees objects come and go', async () => {
    const { made, reports } = informer('tier=front')
    await made.start()
    put('cart')
    put('cart', { labels: { tier: 'front' }, port: 81 })
    put('cart')
    await poll(() => reports).toEqual(['add cart 81', 'delete cart 81'])
    await made.stop()
  })

  test('goes on where it was when the server ends its watch', async () => {
    const { made, names } = informer()
    await made.start()
    put('cart')
    await poll(names).toEqual(['cart'])
    server.inject({ do: 'close', on: 'watch', times: 1 })
    put('web')
    await poll(names).toEqual(['cart', 'web'])
    const watches = server.requests.filter(({ query }) => query.watch === 'true')
    expect(watches.length).toBeGreaterThan(1)
    expect(server.requests.filter(({ query }) => query.watch === undefined)).toHaveLength(1)
    await made.stop()
  })

  test('lists again after 410, and reports what went meanwhile', async () => {
    put('cart')
    put('web')
    const { made, reports, names } = informer()
    await made.start()
    const undo = server.inject({ do: 'withhold', what: 'all' })
    remove('cart')
    server.inject({ do: 'compact' })
    undo()
    await poll(names).toEqual(['web'])
    expect(reports).toContain('delete cart 80')
    await made.stop()
  })

  /** client-node's own limit: an error ends the informer for good; its user must start it again. */
  test('after an error waits for a start, and then has all that changed', async () => {
    put('cart')
    const { made, errors, names } = informer()
    await made.start()
    server.dropConnections()
    await poll(() => errors.length).toBe(1)
    remove('cart')
    put('web')
    expect(names()).toEqual(['cart'])
    await made.start()
    await poll(names).toEqual(['web'])
    await made.stop()
  })

  test('follows EndpointSlices, too', async () => {
    const discovery = config.makeApiClient(DiscoveryV1Api)
    const path = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices'
    const made = makeInformer(config, path, () => discovery.listNamespacedEndpointSlice({ namespace: 'shop' }))
    await made.start()
    const metadata = { name: 'cart-x7', namespace: 'shop' }
    const kind = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType: 'IPv4' }
    const addresses = () => made.list().flatMap(({ endpoints }) => endpoints?.flatMap(it => it.addresses))
    server.store.put({ ...kind, endpoints: [{ addresses: ['10.244.1.2'] }] })
    await poll(addresses).toEqual(['10.244.1.2'])
    server.store.put({ ...kind, endpoints: [{ addresses: ['10.244.1.2'] }, { addresses: ['10.244.1.3'] }] })
    await poll(addresses).toEqual(['10.244.1.2', '10.244.1.3'])
    server.store.remove('EndpointSlice', 'shop', 'cart-x7')
    await poll(addresses).toEqual([])
    await made.stop()
  })
})
