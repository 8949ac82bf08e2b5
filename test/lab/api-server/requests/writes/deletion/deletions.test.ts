import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { ask, OpenWatch, putNamespace, service } from '../../../api-client.ts'

let server: ApiServer
const SERVICES = '/api/v1/namespaces/shop/services'
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices'

beforeEach(async () => {
  server = await startApiServer()
  putNamespace(server.store, 'shop')
})
afterEach(() => server.close())

const remove = (path: string, body?: unknown) => ask(server.url + path, { method: 'DELETE', body })
const names = () => server.store.list('Service').map(({ metadata }) => metadata.name)

describe('a deletion', () => {
  test('answers with the Service that went, and with a Status for all else', async () => {
    const { metadata } = server.store.put(service('cart'))
    const gone = await remove(`${SERVICES}/cart`)
    expect(gone).toMatchObject({ code: 200, body: { kind: 'Service', metadata: { uid: metadata.uid } } })
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'x', namespace: 'shop' },
    }
    const { uid } = server.store.put(slice).metadata
    expect((await remove(`${SLICES}/x`)).body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'x', group: 'discovery.k8s.io', kind: 'endpointslices', uid },
    })
  })

  test('of another object of that name is a conflict', async () => {
    const { metadata } = server.store.put(service('cart'))
    const answer = await remove(`${SERVICES}/cart`, { kind: 'DeleteOptions', preconditions: { uid: 'another' } })
    expect(answer).toMatchObject({
      code: 409,
      body: { reason: 'Conflict', details: { name: 'cart', kind: 'Service' } },
    })
    expect(answer.body.message).toBe(
      `Operation cannot be fulfilled on Service "cart": the UID in the precondition (another) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    )
    expect(names()).toEqual(['cart'])
  })

  test('of another version is a conflict', async () => {
    server.store.put({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'x', namespace: 'shop' },
    })
    const answer = await remove(`${SLICES}/x`, { preconditions: { resourceVersion: '1' } })
    expect(answer.code).toBe(409)
    expect(answer.body.message).toBe(
      'Operation cannot be fulfilled on EndpointSlice.discovery.k8s.io "x": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (3). The object might have been modified',
    )
  })

  test('under the right preconditions is done', async () => {
    const { uid, resourceVersion } = server.store.put(service('cart')).metadata
    expect((await remove(`${SERVICES}/cart`, { preconditions: { uid, resourceVersion } })).code).toBe(200)
    expect(names()).toEqual([])
  })

  test.each([
    ['a list', []],
    ['another kind', { kind: 'Service' }],
    ['preconditions that are none', { preconditions: 'uid' }],
  ])('with options that are %s is refused', async (_title, body) => {
    server.store.put(service('cart'))
    expect((await remove(`${SERVICES}/cart`, body)).code).toBe(400)
    expect(names()).toEqual(['cart'])
  })
})

describe('a collection', () => {
  beforeEach(() => {
    server.store.put(service('a', {}, { tier: 'front' }))
    server.store.put(service('b', { clusterIP: 'None' }))
    server.store.put(service('c'))
    server.store.put({ ...service('d'), metadata: { name: 'd', namespace: 'default' } })
  })

  test('goes within its namespace, one event for each object, and is answered as a list', async () => {
    const events = await OpenWatch.open(
      `${server.url}/api/v1/services?watch=true&resourceVersion=${server.store.revision}`,
    )
    const { code, body } = await remove(SERVICES)
    expect(code).toBe(200)
    expect(body).toMatchObject({ kind: 'ServiceList', apiVersion: 'v1' })
    expect(body.items.map((it: { metadata: { name: string } }) => it.metadata.name)).toEqual(['a', 'b', 'c'])
    expect(names()).toEqual(['d'])
    expect(await events.brief(3)).toEqual(['DELETED a', 'DELETED b', 'DELETED c'])
  })

  test.each([
    ['labelSelector=tier%3Dfront', ['b', 'c', 'd']],
    ['labelSelector=!tier', ['a', 'd']],
    ['fieldSelector=metadata.name%3Dc', ['a', 'b', 'd']],
    ['labelSelector=!tier&fieldSelector=spec.clusterIP!%3DNone', ['a', 'b', 'd']],
    ['labelSelector=none', ['a', 'b', 'c', 'd']],
  ])('goes as far as %s reaches', async (query, left) => {
    expect((await remove(`${SERVICES}?${query}`)).code).toBe(200)
    expect(names()).toEqual(left)
  })

  test('goes whole or, where a selector is nonsense, not at all', async () => {
    expect((await remove(`${SERVICES}?fieldSelector=spec.nothing%3Dx`)).code).toBe(400)
    expect(names()).toHaveLength(4)
  })

  test('of all namespaces at once is not allowed, of nodes it is', async () => {
    expect(await remove('/api/v1/services')).toMatchObject({ code: 405, body: { reason: 'MethodNotAllowed' } })
    server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
    expect((await remove('/api/v1/nodes')).code).toBe(200)
    expect(server.store.list('Node')).toEqual([])
  })
})
