import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { ask, OpenWatch, service } from '../../../api-client.ts'

let server: ApiServer
const NAMESPACES = '/api/v1/namespaces'

beforeEach(async () => {
  server = await startApiServer({ now: () => Date.parse('2026-11-20T10:00:00Z') })
})
afterEach(() => server.close())

const post = (path: string, body: unknown) => ask(server.url + path, { method: 'POST', body })
const create = (name: string) => post(NAMESPACES, { metadata: { name } })

describe('a namespace', () => {
  test('belongs to the cluster from the start, four times', async () => {
    const { body } = await ask(server.url + NAMESPACES)
    expect(body).toMatchObject({ kind: 'NamespaceList', apiVersion: 'v1', metadata: { resourceVersion: '1' } })
    const names = body.items.map((it: { metadata: { name: string } }) => it.metadata.name)
    expect(names).toEqual(['default', 'kube-node-lease', 'kube-public', 'kube-system'])
    expect((await ask(`${server.url}${NAMESPACES}/default`)).body).toMatchObject({
      kind: 'Namespace',
      metadata: { resourceVersion: '1', labels: { 'kubernetes.io/metadata.name': 'default' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    })
  })

  test('is created active, once, under a name that is a label', async () => {
    expect(await create('shop')).toMatchObject({ code: 201, body: { status: { phase: 'Active' } } })
    expect(await create('shop')).toMatchObject({ code: 409, body: { message: 'namespaces "shop" already exists' } })
    expect(await create('shop.example')).toMatchObject({ code: 422, body: { reason: 'Invalid' } })
  })

  test('must be there for what is created in it, also by server-side apply', async () => {
    const missing = {
      code: 404,
      body: {
        reason: 'NotFound',
        message: 'namespaces "shop" not found',
        details: { name: 'shop', kind: 'namespaces' },
      },
    }
    expect(await post(`${NAMESPACES}/shop/services`, { metadata: { name: 'cart' } })).toMatchObject(missing)
    const headers = { 'content-type': 'application/apply-patch+yaml' }
    const body = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'cart' }, spec: { ports: [{ port: 80 }] } }
    const url = `${server.url}${NAMESPACES}/shop/services/cart?fieldManager=test`
    expect(await ask(url, { method: 'PATCH', headers, body })).toMatchObject(missing)
    expect((await ask(`${server.url}${NAMESPACES}/shop/services`)).body.items).toEqual([])
    await create('shop')
    expect((await post(`${NAMESPACES}/shop/services`, body)).code).toBe(201)
    expect((await ask(url, { method: 'PATCH', headers, body })).code).toBe(200)
  })

  test('goes with all that is in it, and watches see each go', async () => {
    await create('shop')
    server.store.put(service('cart'))
    server.store.put({ ...service('other'), metadata: { name: 'other', namespace: 'default' } })
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'cart-x', namespace: 'shop' },
    }
    server.store.put(slice)
    const from = `resourceVersion=${server.store.revision}`
    const [namespaces, services, slices] = await Promise.all([
      OpenWatch.open(`${server.url}${NAMESPACES}?watch=true&${from}`),
      OpenWatch.open(`${server.url}/api/v1/services?watch=true&${from}`),
      OpenWatch.open(`${server.url}/apis/discovery.k8s.io/v1/endpointslices?watch=true&${from}`),
    ])
    const gone = await ask(`${server.url}${NAMESPACES}/shop`, { method: 'DELETE' })
    expect(gone).toMatchObject({
      code: 200,
      body: {
        kind: 'Namespace',
        metadata: { deletionTimestamp: '2026-11-20T10:00:00Z' },
        status: { phase: 'Terminating' },
      },
    })
    expect(await services.brief(1)).toEqual(['DELETED cart'])
    expect(await slices.brief(1)).toEqual(['DELETED cart-x'])
    expect(await namespaces.brief(2)).toEqual(['MODIFIED shop', 'DELETED shop'])
    expect(server.store.list('Service').map(({ metadata }) => metadata.name)).toEqual(['other'])
    expect((await ask(`${server.url}${NAMESPACES}/shop`)).code).toBe(404)
  })

  test.each(['default', 'kube-system', 'kube-public'])('%s stays', async name => {
    expect(await ask(`${server.url}${NAMESPACES}/${name}`, { method: 'DELETE' })).toMatchObject({
      code: 403,
      body: { reason: 'Forbidden', message: `namespaces "${name}" is forbidden: this namespace may not be deleted` },
    })
  })

  test('goes only under its preconditions, which have words of their own', async () => {
    const { body } = await create('shop')
    const remove = { method: 'DELETE', body: { preconditions: { uid: 'another' } } }
    expect(await ask(`${server.url}${NAMESPACES}/shop`, remove)).toMatchObject({
      code: 409,
      body: {
        message: `Operation cannot be fulfilled on namespaces "shop": Precondition failed: UID in precondition: another, UID in object meta: ${body.metadata.uid}`,
      },
    })
  })

  test('has a status', async () => {
    await create('shop')
    const url = `${server.url}${NAMESPACES}/shop/status`
    const body = {
      metadata: { name: 'shop' },
      status: { phase: 'Active', conditions: [{ type: 'Odd', status: 'True' }] },
    }
    expect((await ask(url, { method: 'PUT', body })).body.status).toEqual(body.status)
    expect((await ask(url)).body.status).toEqual(body.status)
  })

  test('goes alone: there is no deletion of all namespaces', async () => {
    expect((await ask(server.url + NAMESPACES, { method: 'DELETE' })).code).toBe(405)
  })
})
