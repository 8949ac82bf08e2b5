import {
  CoreV1Api,
  DiscoveryV1Api,
  EventsV1Api,
  NetworkingV1Api,
  PatchStrategy,
  setHeaderOptions,
  V1MicroTime,
  type V1Service,
} from '@kubernetes/client-node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { putNamespace } from '../lab/api-server/api-client.ts'
import { configFor, refusal } from './client.ts'

let server: ApiServer
let core: CoreV1Api

beforeEach(async () => {
  server = await startApiServer()
  putNamespace(server.store, 'shop')
  core = configFor(server).makeApiClient(CoreV1Api)
})
afterEach(() => server.close())

const IN_SHOP = { namespace: 'shop' }
const CART = { name: 'cart', namespace: 'shop' }
const as = (strategy: string) => setHeaderOptions('Content-Type', strategy)

function cart(port = 80, name?: string): V1Service {
  const ports = [{ port, ...(name !== undefined && { name }) }]
  return { metadata: { name: 'cart', labels: { app: 'cart' } }, spec: { selector: { app: 'cart' }, ports } }
}

describe('Services', () => {
  test('are created, read, replaced and deleted', async () => {
    const made = await core.createNamespacedService({ ...IN_SHOP, body: cart() })
    expect(made.metadata).toMatchObject({ name: 'cart', namespace: 'shop', uid: expect.any(String) })
    expect(made.metadata!.creationTimestamp).toBeInstanceOf(Date)
    expect(made.spec!.ports).toEqual([expect.objectContaining({ port: 80, protocol: 'TCP', targetPort: 80 })])
    const read = await core.readNamespacedService(CART)
    expect(read).toEqual(made)
    const replaced = await core.replaceNamespacedService({ ...CART, body: { ...read, spec: cart(81).spec! } })
    expect(replaced.spec).toMatchObject({ clusterIP: made.spec!.clusterIP, ports: [{ port: 81 }] })
    // A stale object: the version that was read is not that of the server any more.
    expect(await refusal(core.replaceNamespacedService({ ...CART, body: read }))).toMatchObject({ reason: 'Conflict' })
    const gone = await core.deleteNamespacedService(CART)
    expect(gone).toMatchObject({ kind: 'Service', metadata: { uid: made.metadata!.uid } })
    expect(await refusal(core.readNamespacedService(CART))).toMatchObject({ reason: 'NotFound', code: 404 })
  })

  test('are patched in four ways', async () => {
    await core.createNamespacedService({ ...IN_SHOP, body: cart() })
    const merge = { spec: { ports: [{ port: 81, name: 'a' }] } }
    const merged = await core.patchNamespacedService({ ...CART, body: merge }, as(PatchStrategy.MergePatch))
    expect(merged.spec!.ports!.map(({ port }) => port)).toEqual([81])
    const strategic = { spec: { ports: [{ port: 82, name: 'b' }] } }
    const both = await core.patchNamespacedService({ ...CART, body: strategic }, as(PatchStrategy.StrategicMergePatch))
    expect(both.spec!.ports!.map(({ port }) => port)).toEqual([82, 81])
    // Without a header, client-node sends the first type that the description lists: a JSON patch.
    const operations = [{ op: 'remove', path: '/spec/ports/1' }]
    const fewer = await core.patchNamespacedService({ ...CART, body: operations })
    expect(fewer.spec!.ports!.map(({ port }) => port)).toEqual([82])
    const applied = await core.patchNamespacedService(
      { ...CART, fieldManager: 'tests', force: true, body: { apiVersion: 'v1', kind: 'Service', ...cart(83, 'c') } },
      as(PatchStrategy.ServerSideApply),
    )
    expect(applied.spec!.ports!.map(({ port }) => port)).toEqual([82, 83])
    expect(applied.metadata!.managedFields!.map(({ manager }) => manager)).toContain('tests')
  })

  test('are listed by namespace, by label, by field, and in pages', async () => {
    putNamespace(server.store, 'bank')
    for (const name of ['a', 'b', 'c']) {
      await core.createNamespacedService({ ...IN_SHOP, body: { ...cart(), metadata: { name, labels: { app: name } } } })
    }
    await core.createNamespacedService({ namespace: 'bank', body: cart() })
    const names = ({ items }: { items: readonly V1Service[] }) => items.map(({ metadata }) => metadata!.name)
    expect(names(await core.listServiceForAllNamespaces())).toEqual(['cart', 'a', 'b', 'c'])
    expect(names(await core.listNamespacedService(IN_SHOP))).toEqual(['a', 'b', 'c'])
    expect(names(await core.listNamespacedService({ ...IN_SHOP, labelSelector: 'app in (a, c)' }))).toEqual(['a', 'c'])
    expect(names(await core.listNamespacedService({ ...IN_SHOP, fieldSelector: 'metadata.name=b' }))).toEqual(['b'])
    const first = await core.listNamespacedService({ ...IN_SHOP, limit: 2 })
    expect(first.metadata).toMatchObject({ remainingItemCount: 1 })
    const rest = await core.listNamespacedService({ ...IN_SHOP, limit: 2, _continue: first.metadata!._continue! })
    expect([...names(first), ...names(rest)]).toEqual(['a', 'b', 'c'])
    // Items of a list say neither kind nor apiVersion; the list does.
    expect(first).toMatchObject({ kind: 'ServiceList', apiVersion: 'v1' })
    expect(first.items[0]!.kind).toBeUndefined()
  })

  test('have a status of their own', async () => {
    await core.createNamespacedService({ ...IN_SHOP, body: cart() })
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }
    const body = { metadata: { name: 'cart' }, status }
    expect(await core.replaceNamespacedServiceStatus({ ...CART, body })).toMatchObject({ status, spec: cart().spec! })
    expect((await core.readNamespacedServiceStatus(CART)).status).toEqual(status)
  })
})

test('EndpointSlices are created, read, replaced, patched, listed and deleted', async () => {
  const discovery = configFor(server).makeApiClient(DiscoveryV1Api)
  const slice = { name: 'cart-x7', namespace: 'shop' }
  const body = {
    metadata: { name: 'cart-x7', labels: { 'kubernetes.io/service-name': 'cart' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.244.1.2'], conditions: { ready: true } }],
    ports: [{ port: 8080 }],
  }
  const made = await discovery.createNamespacedEndpointSlice({ ...IN_SHOP, body })
  expect(made.ports).toEqual([expect.objectContaining({ name: '', port: 8080, protocol: 'TCP' })])
  expect(await discovery.readNamespacedEndpointSlice(slice)).toEqual(made)
  const endpoints = [{ addresses: ['10.244.1.3'] }]
  const replaced = await discovery.replaceNamespacedEndpointSlice({ ...slice, body: { ...made, endpoints } })
  expect(replaced.endpoints).toEqual([expect.objectContaining({ addresses: ['10.244.1.3'] })])
  const operations = [{ op: 'add', path: '/endpoints/-', value: { addresses: ['10.244.1.4'] } }]
  const patched = await discovery.patchNamespacedEndpointSlice({ ...slice, body: operations })
  expect(patched.endpoints!.map(({ addresses }) => addresses)).toEqual([['10.244.1.3'], ['10.244.1.4']])
  const labelSelector = 'kubernetes.io/service-name=cart'
  expect((await discovery.listEndpointSliceForAllNamespaces({ labelSelector })).items).toHaveLength(1)
  expect(await discovery.deleteNamespacedEndpointSlice(slice)).toMatchObject({
    status: 'Success',
    details: { name: 'cart-x7', group: 'discovery.k8s.io', kind: 'endpointslices', uid: made.metadata!.uid },
  })
  expect((await discovery.listNamespacedEndpointSlice(IN_SHOP)).items).toEqual([])
})

test('Nodes are created, read, replaced, patched, listed and deleted', async () => {
  const made = await core.createNode({ body: { metadata: { name: 'n1' }, spec: { podCIDRs: ['10.244.1.0/24'] } } })
  expect(await core.readNode({ name: 'n1' })).toEqual(made)
  const labels = { 'topology.kubernetes.io/zone': 'a' }
  await core.patchNode({ name: 'n1', body: { metadata: { labels } } }, as(PatchStrategy.StrategicMergePatch))
  const status = { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] }
  await core.replaceNodeStatus({ name: 'n1', body: { metadata: { name: 'n1', labels }, status } })
  const node = await core.readNode({ name: 'n1' })
  expect(node).toMatchObject({ metadata: { labels }, spec: { podCIDRs: ['10.244.1.0/24'] }, status })
  await core.replaceNode({ name: 'n1', body: { ...node, spec: { ...node.spec, unschedulable: true } } })
  const { items } = await core.listNode({ fieldSelector: 'metadata.name=n1' })
  expect(items.map(({ spec }) => spec)).toEqual([
    { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'], unschedulable: true },
  ])
  const moved = core.replaceNode({ name: 'n1', body: { ...items[0]!, spec: { podCIDRs: ['10.244.2.0/24'] } } })
  expect(await refusal(moved)).toMatchObject({ code: 422, reason: 'Invalid' })
  expect(await core.deleteNode({ name: 'n1' })).toMatchObject({ status: 'Success', details: { name: 'n1' } })
  expect(await refusal(core.readNode({ name: 'n1' }))).toMatchObject({ reason: 'NotFound' })
})

test('ServiceCIDRs are created, listed and deleted', async () => {
  const networking = configFor(server).makeApiClient(NetworkingV1Api)
  await networking.createServiceCIDR({ body: { metadata: { name: 'more' }, spec: { cidrs: ['10.112.0.0/16'] } } })
  expect((await networking.listServiceCIDR()).items.map(({ spec }) => spec!.cidrs)).toEqual([
    ['10.96.0.0/16'],
    ['10.112.0.0/16'],
  ])
  expect(await networking.deleteServiceCIDR({ name: 'more' })).toMatchObject({ status: 'Success' })
})

test('Events keep their microseconds', async () => {
  const events = configFor(server).makeApiClient(EventsV1Api)
  const body = {
    metadata: { name: 'sync.1' },
    eventTime: new V1MicroTime('2026-11-20T10:00:00.123Z'),
    reportingController: 'kube-proxy',
    reportingInstance: 'n1',
    action: 'Sync',
    reason: 'SyncFailed',
    type: 'Warning',
    regarding: { kind: 'Service', namespace: 'shop', name: 'cart' },
  }
  await events.createNamespacedEvent({ ...IN_SHOP, body })
  const { items } = await events.listNamespacedEvent(IN_SHOP)
  // client-node's own limit: it writes an eventTime from a date, and reads it as a text, whatever its types say.
  expect(items[0]).toMatchObject({ reason: 'SyncFailed', eventTime: '2026-11-20T10:00:00.123000Z' })
})

describe('Namespaces', () => {
  test('exist from the start', async () => {
    const { items } = await core.listNamespace()
    const names = items.map(({ metadata }) => metadata!.name)
    expect(names).toEqual(['default', 'kube-node-lease', 'kube-public', 'kube-system', 'shop'])
    expect(items[0]).toMatchObject({ status: { phase: 'Active' }, spec: { finalizers: ['kubernetes'] } })
  })

  test('are created, read, and deleted with all that is in them', async () => {
    const made = await core.createNamespace({ body: { metadata: { name: 'bank' } } })
    expect(made).toMatchObject({ metadata: { labels: { 'kubernetes.io/metadata.name': 'bank' } } })
    expect(await core.readNamespace({ name: 'bank' })).toEqual(made)
    await core.createNamespacedService({ namespace: 'bank', body: cart() })
    await core.createNamespacedService({ ...IN_SHOP, body: cart() })
    // The description promises a Status, so client-node makes one of the Namespace that real servers answer, too.
    expect(await core.deleteNamespace({ name: 'bank' })).toMatchObject({ kind: 'Namespace' })
    expect(await refusal(core.readNamespace({ name: 'bank' }))).toMatchObject({ reason: 'NotFound' })
    const { items } = await core.listServiceForAllNamespaces()
    expect(items.map(({ metadata }) => metadata!.namespace)).toEqual(['shop'])
  })
})
