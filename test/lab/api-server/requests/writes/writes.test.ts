import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { ask, putNamespace, service } from '../../api-client.ts'

let server: ApiServer
const SERVICES = '/api/v1/namespaces/shop/services'

beforeEach(async () => {
  server = await startApiServer({ now: () => Date.parse('2026-11-20T10:00:00Z') })
  putNamespace(server.store, 'shop')
})
afterEach(async () => {
  await server.close()
})

/** What an Event must say beside its reason. */
const OF_A_CART = {
  regarding: { kind: 'Pod', namespace: 'shop', name: 'cart' },
  eventTime: '2026-11-20T10:00:00.000000Z',
  type: 'Normal',
}

describe('one object', () => {
  test('is created with uid, time and resourceVersion, read, replaced, patched and deleted', async () => {
    const made = await ask(server.url + SERVICES, { method: 'POST', body: service('cart') })
    expect(made.code).toBe(201)
    expect(made.body).toMatchObject({
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name: 'cart', namespace: 'shop' },
    })
    expect(made.body.metadata).toMatchObject({ resourceVersion: '4', creationTimestamp: '2026-11-20T10:00:00Z' })
    expect(made.body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)

    const one = `${server.url}${SERVICES}/cart`
    expect((await ask(one)).body).toEqual(made.body)

    const changed = { ...made.body, spec: { ...made.body.spec, externalIPs: ['192.0.2.1'] } }
    const replaced = await ask(one, { method: 'PUT', body: changed })
    expect(replaced.body).toMatchObject({
      spec: { clusterIP: '10.96.0.10', externalIPs: ['192.0.2.1'] },
      metadata: { uid: made.body.metadata.uid },
    })
    expect(replaced.body.metadata.resourceVersion).toBe('5')

    const headers = { 'content-type': 'application/strategic-merge-patch+json' }
    const patch = { metadata: { labels: { a: 'b' } }, spec: { externalIPs: null } }
    const patched = await ask(one, { method: 'PATCH', headers, body: patch })
    expect(patched.body).toMatchObject({ metadata: { labels: { a: 'b' }, resourceVersion: '6' } })
    expect(patched.body.spec).not.toHaveProperty('externalIPs')

    expect((await ask(one, { method: 'DELETE' })).code).toBe(200)
    expect(await ask(one)).toMatchObject({ code: 404, body: { kind: 'Status', reason: 'NotFound', code: 404 } })
    expect((await ask(one, { method: 'DELETE' })).code).toBe(404)
  })

  test('a stale resourceVersion is a conflict, a second creation another', async () => {
    const { body: first } = await ask(server.url + SERVICES, { method: 'POST', body: service('cart') })
    server.store.patch('Service', { namespace: 'shop', name: 'cart' }, { spec: { type: 'NodePort' } })
    const stale = await ask(`${server.url}${SERVICES}/cart`, { method: 'PUT', body: first })
    expect(stale).toMatchObject({ code: 409, body: { reason: 'Conflict', status: 'Failure' } })
    const again = await ask(server.url + SERVICES, { method: 'POST', body: service('cart') })
    expect(again).toMatchObject({ code: 409, body: { reason: 'AlreadyExists' } })
  })

  test('a JSON patch tests, adds, moves, copies, replaces and removes', async () => {
    server.store.put(service('cart', { ports: [{ port: 80 }], type: 'ClusterIP', externalName: 'x' }))
    const headers = { 'content-type': 'application/json-patch+json' }
    const operations = [
      { op: 'test', path: '/spec/type', value: 'ClusterIP' },
      { op: 'add', path: '/spec/ports/-', value: { name: 'b', port: 81 } },
      { op: 'add', path: '/spec/ports/0', value: { name: 'a', port: 79 } },
      { op: 'remove', path: '/spec/ports/1' },
      { op: 'replace', path: '/spec/type', value: 'NodePort' },
      { op: 'copy', from: '/spec/type', path: '/metadata/labels/a~1b' },
      { op: 'move', from: '/spec/externalName', path: '/spec/loadBalancerIP' },
    ]
    const patched = await ask(`${server.url}${SERVICES}/cart`, { method: 'PATCH', headers, body: operations })
    expect(patched.body.spec).toMatchObject({
      ports: [{ port: 79 }, { port: 81 }],
      type: 'NodePort',
      loadBalancerIP: 'x',
    })
    expect(patched.body.metadata.labels).toEqual({ 'a/b': 'NodePort' })
    const failed = await ask(`${server.url}${SERVICES}/cart`, {
      method: 'PATCH',
      headers,
      body: [{ op: 'test', path: '/spec/type', value: 'ClusterIP' }],
    })
    expect(failed.code).toBe(422)
  })

  test('status is replaced alone through /status', async () => {
    server.store.put(service('cart'))
    const url = `${server.url}${SERVICES}/cart/status`
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }
    const { body } = await ask(url, { method: 'PUT', body: { metadata: { name: 'cart' }, spec: {}, status } })
    expect(body).toMatchObject({ spec: { clusterIP: '10.96.0.10' }, status })
    const cart = { metadata: { name: 'cart' }, spec: { externalName: 'x', ports: [{ port: 80 }] } }
    const replaced = await ask(`${server.url}${SERVICES}/cart`, { method: 'PUT', body: cart })
    expect(replaced.body).toMatchObject({ spec: { clusterIP: '10.96.0.10', externalName: 'x' }, status })
  })

  test.each([
    ['no name', { metadata: {} }, 422],
    ['a name that is none', { metadata: { name: 'Cart!' } }, 422],
    ['another namespace', { metadata: { name: 'cart', namespace: 'bank' } }, 400],
    ['another kind', { kind: 'Pod', metadata: { name: 'cart' } }, 400],
    ['a resourceVersion', { metadata: { name: 'cart', resourceVersion: '7' } }, 400],
    ['no object', [], 400],
  ])('with %s is refused', async (_, body, code) => {
    const answer = await ask(server.url + SERVICES, { method: 'POST', body })
    expect(answer).toMatchObject({ code, body: { kind: 'Status', status: 'Failure', code } })
    expect(server.store.list('Service')).toEqual([])
  })

  test('in another form than JSON is refused', async () => {
    const xml = { method: 'POST', headers: { 'content-type': 'application/xml' }, body: {} }
    expect(await ask(server.url + SERVICES, xml)).toMatchObject({
      code: 415,
      body: { reason: 'UnsupportedMediaType' },
    })
  })

  test('generateName makes a name', async () => {
    const { body } = await ask(`${server.url}/apis/events.k8s.io/v1/namespaces/shop/events`, {
      method: 'POST',
      body: { metadata: { generateName: 'sync-' }, reason: 'SyncFailed', note: 'it did', ...OF_A_CART },
    })
    expect(body.metadata.name).toMatch(/^sync-.{5}$/)
    expect(body).toMatchObject({ apiVersion: 'events.k8s.io/v1', kind: 'Event', note: 'it did' })
  })
})

describe('what a person leaves unsaid', () => {
  const create = (name: string, spec: object) =>
    ask(server.url + SERVICES, { method: 'POST', body: { metadata: { name }, spec } })

  test('is said for a Service: a free address, a protocol, the policies', async () => {
    server.store.put(service('first', { clusterIP: '10.96.1.1' }))
    const { body } = await create('web', { ports: [{ port: 80 }] })
    expect(body.spec).toEqual({
      type: 'ClusterIP',
      clusterIP: '10.96.1.2',
      clusterIPs: ['10.96.1.2'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    })
    expect(await create('again', { clusterIP: '10.96.1.2' })).toMatchObject({ code: 422, body: { reason: 'Invalid' } })
  })

  test('node ports are given out, and kept', async () => {
    server.store.put(service('first', { ports: [{ port: 1, nodePort: 30086 }] }))
    const { body } = await create('web', {
      type: 'NodePort',
      ports: [
        { port: 80, name: 'a' },
        { port: 81, name: 'b' },
      ],
    })
    const nodePorts = (answer: { spec: { ports: { nodePort: number }[] } }) => answer.spec.ports.map(it => it.nodePort)
    expect(nodePorts(body)).toEqual([30087, 30088])
    expect(body.spec).toMatchObject({ externalTrafficPolicy: 'Cluster' })
    const put = {
      metadata: { name: 'web' },
      spec: {
        type: 'LoadBalancer',
        ports: [
          { port: 82, name: 'c' },
          { port: 81, name: 'b' },
        ],
      },
    }
    const replaced = await ask(`${server.url}${SERVICES}/web`, { method: 'PUT', body: put })
    expect(nodePorts(replaced.body)).toEqual([30089, 30088])
    expect(replaced.body.spec.clusterIP).toBe(body.spec.clusterIP)
  })

  test('a headless Service stays headless, an ExternalName has no address', async () => {
    expect((await create('headless', { clusterIP: 'None' })).body.spec).toMatchObject({
      clusterIP: 'None',
      clusterIPs: ['None'],
    })
    expect((await create('name', { type: 'ExternalName', externalName: 'a.b' })).body.spec).not.toHaveProperty(
      'clusterIP',
    )
  })

  test('a strategic patch changes a port and keeps the others', async () => {
    await create('web', {
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
        { name: 'c', port: 82 },
      ],
    })
    const headers = { 'content-type': 'application/strategic-merge-patch+json' }
    const ports = [
      { port: 81, name: 'x' },
      { port: 80, $patch: 'delete' },
      { port: 83, name: 'd' },
    ]
    const body = { spec: { '$setElementOrder/ports': [{ port: 81 }, { port: 82 }, { port: 83 }], ports } }
    const patched = await ask(`${server.url}${SERVICES}/web`, { method: 'PATCH', headers, body })
    expect(patched.body.spec.ports.map((it: { name: string; port: number }) => `${it.name} ${it.port}`)).toEqual([
      'x 81',
      'c 82',
      'd 83',
    ])
    const unknown = { method: 'PATCH', headers: { 'content-type': 'application/apply-patch+cbor' }, body }
    expect((await ask(`${server.url}${SERVICES}/web`, unknown)).code).toBe(415)
  })

  test('a slice gets the protocol of its ports', async () => {
    const url = `${server.url}/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices`
    const body = { metadata: { name: 'web-x' }, addressType: 'IPv4', ports: [{ port: 80, name: null }] }
    expect((await ask(url, { method: 'POST', body })).body.ports).toEqual([{ name: '', port: 80, protocol: 'TCP' }])
  })
})
