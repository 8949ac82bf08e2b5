import {
  CoreV1Api,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
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

const CART = { name: 'cart', namespace: 'shop' }

function cart(port = 80): V1Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'cart', namespace: 'shop' },
    spec: { ports: [{ port }] },
  }
}

function create(): Promise<V1Service> {
  return core.createNamespacedService({ namespace: 'shop', body: cart() })
}

describe('dryRun=All', () => {
  test('creates, replaces, patches and deletes nothing', async () => {
    const tried = await core.createNamespacedService({ namespace: 'shop', body: cart(), dryRun: 'All' })
    expect(tried.spec!.clusterIP).toMatch(/^10\.96\./)
    expect(tried.metadata!.resourceVersion).toBeUndefined()
    expect(server.store.list('Service')).toEqual([])
    const made = await create()
    const body = { ...made, spec: { ports: [{ port: 81 }] } }
    const replaced = await core.replaceNamespacedService({ ...CART, body, dryRun: 'All' })
    expect(replaced.spec!.ports![0]!.port).toBe(81)
    expect(replaced.metadata!.resourceVersion).toBe(made.metadata!.resourceVersion)
    const operations = [{ op: 'replace', path: '/spec/ports/0/port', value: 82 }]
    const patched = await core.patchNamespacedService({ ...CART, body: operations, dryRun: 'All' })
    expect(patched.spec!.ports![0]!.port).toBe(82)
    await core.deleteNamespacedService({ ...CART, dryRun: 'All' })
    await core.deleteCollectionNamespacedService({ namespace: 'shop', body: { dryRun: ['All'] } })
    await core.deleteNamespace({ name: 'shop', dryRun: 'All' })
    expect(await core.readNamespacedService(CART)).toEqual(made)
  })
})

describe('a deletion with preconditions', () => {
  test('of another uid or resourceVersion is a conflict, and of the right ones is done', async () => {
    const { metadata } = await create()
    const remove = (preconditions: object) => core.deleteNamespacedService({ ...CART, body: { preconditions } })
    expect(await refusal(remove({ uid: 'another' }))).toMatchObject({ code: 409, reason: 'Conflict' })
    expect(await refusal(remove({ resourceVersion: '1' }))).toMatchObject({ code: 409, reason: 'Conflict' })
    const { uid, resourceVersion } = metadata!
    await remove({ uid, resourceVersion })
    expect(server.store.list('Service')).toEqual([])
  })
})

test('a collection is deleted, as far as the selector goes', async () => {
  for (const name of ['a', 'b', 'c']) {
    const body = { ...cart(), metadata: { name, namespace: 'shop', labels: { app: name } } }
    await core.createNamespacedService({ namespace: 'shop', body })
  }
  // Real servers answer with the list of what was deleted. client-node reads it as the Status its description promises,
  // and the items are lost on the way.
  const answer = await core.deleteCollectionNamespacedService({ namespace: 'shop', labelSelector: 'app in (a, b)' })
  expect(answer.kind).toBe('ServiceList')
  const left = () => server.store.list('Service').map(({ metadata }) => metadata.name)
  expect(left()).toEqual(['c'])
  await core.deleteCollectionNamespacedService({ namespace: 'shop' })
  expect(left()).toEqual([])
})

test('port 0 is invalid, and the Status names the field', async () => {
  const status = await refusal(core.createNamespacedService({ namespace: 'shop', body: cart(0) }))
  expect(status).toMatchObject({ code: 422, reason: 'Invalid' })
  expect(status.details!.causes!.map(({ field }) => field)).toEqual(['spec.ports[0].port', 'spec.ports[0].targetPort'])
})

test('an object in a namespace that is not there is refused', async () => {
  const body = { ...cart(), metadata: { name: 'cart' } }
  expect(await refusal(core.createNamespacedService({ namespace: 'nowhere', body }))).toMatchObject({
    code: 404,
    message: 'namespaces "nowhere" not found',
  })
})

test('two managers of one field conflict', async () => {
  const apply = (fieldManager: string, port: number, force?: boolean) => {
    const body = { ...cart(port), spec: { ports: [{ port: 80, targetPort: port }] } }
    const request = { ...CART, fieldManager, body, ...(force !== undefined && { force }) }
    return core.patchNamespacedService(request, setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply))
  }
  await apply('one', 8080)
  const status = await refusal(apply('two', 9090))
  expect(status).toMatchObject({ code: 409, reason: 'Conflict' })
  expect(status.details!.causes).toEqual([
    {
      reason: 'FieldManagerConflict',
      message: 'conflict with "one"',
      field: '.spec.ports[port=80,protocol="TCP"].targetPort',
    },
  ])
  const forced = await apply('two', 9090, true)
  expect(forced.spec!.ports![0]!.targetPort).toBe(9090)
})

test('the client of all kinds finds its way by discovery', async () => {
  const any = KubernetesObjectApi.makeApiClient(configFor(server))
  const made = await any.create(cart())
  expect(made).toMatchObject({ kind: 'Service', metadata: { name: 'cart' } })
  const header = { apiVersion: 'v1', kind: 'Service', metadata: CART }
  expect((await any.read<V1Service>(header)).spec!.ports![0]!.port).toBe(80)
  const patch = { ...header, spec: { ports: [{ port: 81 }] } }
  await any.patch(patch, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch)
  const { items } = await any.list<V1Service>('v1', 'Service', 'shop')
  expect(items.map(({ spec }) => spec!.ports![0]!.port)).toEqual([81])
  const slice = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: CART, addressType: 'IPv4' }
  await any.create(slice)
  await any.delete(header)
  await any.delete(slice)
  expect([...server.store.list('Service'), ...server.store.list('EndpointSlice')]).toEqual([])
})
