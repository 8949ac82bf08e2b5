import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { ask, putNamespace, service } from '../../api-client.ts'

let server: ApiServer
const SERVICES = '/api/v1/namespaces/shop/services'

beforeEach(async () => {
  server = await startApiServer()
  putNamespace(server.store, 'shop')
})
afterEach(() => server.close())

const request = (method: string, path: string, body?: unknown, type = 'application/json') =>
  ask(server.url + path, { method, body, headers: { 'content-type': type } })

describe('dryRun=All', () => {
  test('answers a creation as it would be, and stores nothing', async () => {
    const { revision } = server.store
    const body = { metadata: { name: 'cart' }, spec: { ports: [{ port: 80 }] } }
    const tried = await request('POST', `${SERVICES}?dryRun=All`, body)
    // As with the real server, which looks for no free address: it answers with one that no Service gets.
    expect(tried).toMatchObject({ code: 201, body: { spec: { clusterIP: '10.96.0.0' }, metadata: { name: 'cart' } } })
    expect(tried.body.metadata).toHaveProperty('uid')
    expect(tried.body.metadata).not.toHaveProperty('resourceVersion')
    expect(server.store.list('Service')).toEqual([])
    expect(server.store.revision).toBe(revision)
  })

  test.each([
    [
      'PUT',
      'application/json',
      { metadata: { name: 'cart' }, spec: { sessionAffinity: 'ClientIP', ports: [{ port: 80 }] } },
    ],
    ['PATCH', 'application/merge-patch+json', { spec: { sessionAffinity: 'ClientIP' } }],
    ['PATCH', 'application/strategic-merge-patch+json', { spec: { sessionAffinity: 'ClientIP' } }],
    ['PATCH', 'application/json-patch+json', [{ op: 'add', path: '/spec/sessionAffinity', value: 'ClientIP' }]],
    [
      'PATCH',
      'application/apply-patch+yaml',
      { apiVersion: 'v1', kind: 'Service', spec: { sessionAffinity: 'ClientIP' } },
    ],
  ])('answers %s %s as it would be, at the present version', async (method, type, body) => {
    const before = server.store.put(service('cart'))
    const query = 'dryRun=All&fieldManager=test'
    const force = type.startsWith('application/apply') ? '&force=true' : ''
    const tried = await request(method, `${SERVICES}/cart?${query}${force}`, body, type)
    expect(tried).toMatchObject({ code: 200, body: { spec: { sessionAffinity: 'ClientIP' } } })
    expect(tried.body.metadata.resourceVersion).toBe(before.metadata.resourceVersion)
    expect(server.store.list('Service')).toEqual([before])
  })

  test('deletes nothing, one or many', async () => {
    server.store.put(service('cart'))
    const path = `${SERVICES}/cart?dryRun=All`
    expect(await request('DELETE', path)).toMatchObject({ code: 200, body: { kind: 'Service' } })
    expect((await request('DELETE', `${SERVICES}/cart`, { dryRun: ['All'] })).code).toBe(200)
    expect((await request('DELETE', `${SERVICES}?dryRun=All`)).body.items).toHaveLength(1)
    expect((await request('DELETE', '/api/v1/namespaces/shop?dryRun=All')).body.status.phase).toBe('Terminating')
    expect(server.store.list('Service')).toHaveLength(1)
    expect((await request('DELETE', '/api/v1/nodes/none?dryRun=All')).code).toBe(404)
  })

  test('in the query is not read where a deletion has a body, as with the real server', async () => {
    server.store.put(service('cart'))
    await request('DELETE', `${SERVICES}/cart?dryRun=All`, { kind: 'DeleteOptions' })
    expect(server.store.list('Service')).toEqual([])
  })

  test('checks all the same', async () => {
    server.store.put(service('cart'))
    const taken = { metadata: { name: 'cart' }, spec: { ports: [{ port: 80 }] } }
    expect((await request('POST', `${SERVICES}?dryRun=All`, taken)).code).toBe(409)
    const zero = { metadata: { name: 'web' }, spec: { ports: [{ port: 0 }] } }
    expect((await request('POST', `${SERVICES}?dryRun=All`, zero)).code).toBe(422)
  })

  test.each([
    ['POST', SERVICES, 'CreateOptions'],
    ['PUT', `${SERVICES}/cart`, 'UpdateOptions'],
    ['DELETE', `${SERVICES}/cart`, 'DeleteOptions'],
  ])('has no other value: %s %s', async (method, path, kind) => {
    const body = method === 'DELETE' ? undefined : { metadata: { name: 'cart' } }
    expect((await request(method, `${path}?dryRun=Some`, body)).body).toMatchObject({
      code: 422,
      message: `${kind}.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"Some"}: supported values: "All"`,
    })
  })
})
