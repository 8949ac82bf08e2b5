import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { ask, putNamespace, service } from '../../../api-client.ts'

let server: ApiServer
const SERVICES = '/api/v1/namespaces/shop/services'

beforeEach(async () => {
  server = await startApiServer()
  putNamespace(server.store, 'shop')
})
afterEach(() => server.close())

const request = (method: string, path: string, body?: unknown, type = 'application/json') =>
  ask(server.url + path, { method, body, headers: { 'content-type': type } })

describe('a port', () => {
  const create = (ports: unknown) => request('POST', SERVICES, { metadata: { name: 'cart' }, spec: { ports } })
  const WRONG = 'must be between 1 and 65535, inclusive'

  test.each([
    [
      '0',
      [{ port: 0 }],
      `[spec.ports[0].port: Invalid value: 0: ${WRONG}, spec.ports[0].targetPort: Invalid value: 0: ${WRONG}]`,
    ],
    [
      'none',
      [{ name: 'a' }],
      `[spec.ports[0].port: Invalid value: 0: ${WRONG}, spec.ports[0].targetPort: Invalid value: 0: ${WRONG}]`,
    ],
    [
      '65536',
      [
        { name: 'a', port: 80 },
        { name: 'b', port: 65_536, targetPort: 80 },
      ],
      `spec.ports[1].port: Invalid value: 65536: ${WRONG}`,
    ],
    [
      '80 with a targetPort of 70000',
      [{ port: 80, targetPort: 70_000 }],
      `spec.ports[0].targetPort: Invalid value: 70000: ${WRONG}`,
    ],
  ])('%s is invalid', async (_title, ports, why) => {
    const answer = await create(ports)
    expect(answer).toMatchObject({
      code: 422,
      body: { reason: 'Invalid', message: `Service "cart" is invalid: ${why}` },
    })
    expect(server.store.list('Service')).toEqual([])
  })

  test('0 cannot come by a patch either, and /status does not look at ports', async () => {
    await create([{ port: 80 }])
    const operations = [{ op: 'replace', path: '/spec/ports/0/port', value: 0 }]
    expect((await request('PATCH', `${SERVICES}/cart`, operations, 'application/json-patch+json')).code).toBe(422)
    server.store.put(service('odd', { ports: [{ port: 0 }] }))
    expect((await request('PUT', `${SERVICES}/odd/status`, { metadata: { name: 'odd' }, status: {} })).code).toBe(200)
  })

  test('that is a text is no Service', async () => {
    expect(await create([{ port: '80' }])).toMatchObject({ code: 400, body: { reason: 'BadRequest' } })
  })

  test('by name is a targetPort', async () => {
    expect((await create([{ port: 80, targetPort: 'http' }])).body.spec.ports[0].targetPort).toBe('http')
  })
})

test('what is wrong with a new object is said before its name is found to be taken', async () => {
  const create = (port: number) =>
    request('POST', SERVICES, { metadata: { name: 'cart' }, spec: { ports: [{ port }] } })
  expect((await create(80)).code).toBe(201)
  expect((await create(0)).body).toMatchObject({ reason: 'Invalid' })
  expect((await create(80)).body).toMatchObject({ reason: 'AlreadyExists' })
})

test('a PUT names its object, and a patch need not', async () => {
  server.store.put(service('cart'))
  const path = `${SERVICES}/cart`
  const message = 'the name of the object (cart based on URL) was undeterminable: name must be provided'
  expect(await request('PUT', path, { spec: {} })).toMatchObject({ code: 400, body: { message } })
  const patch = { metadata: { labels: { a: 'b' } } }
  expect((await request('PATCH', path, patch, 'application/merge-patch+json')).code).toBe(200)
})

describe('a Lease', () => {
  const LEASES = '/apis/coordination.k8s.io/v1/namespaces/shop/leases'
  const lease = (holderIdentity: string, metadata: object = {}) => ({
    metadata: { name: 'turn', ...metadata },
    spec: { holderIdentity },
  })

  test('is taken over by a PUT that names its version alone, and by a patch', async () => {
    const { body } = await request('POST', LEASES, lease('one'))
    expect(await request('PUT', `${LEASES}/turn`, lease('two'))).toMatchObject({
      code: 422,
      body: {
        message:
          'leases.coordination.k8s.io "turn" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
      },
    })
    const { resourceVersion } = body.metadata
    const taken = await request('PUT', `${LEASES}/turn`, lease('two', { resourceVersion }))
    expect(taken.body.spec).toEqual({ holderIdentity: 'two' })
    expect((await request('PUT', `${LEASES}/turn`, lease('three', { resourceVersion }))).code).toBe(409)
    const patch = { spec: { holderIdentity: 'three' } }
    expect((await request('PATCH', `${LEASES}/turn`, patch, 'application/merge-patch+json')).code).toBe(200)
  })
})

describe('a port of a pod in the network of its host', () => {
  const create = (ports: object, hostNetwork = true) => {
    const spec = { hostNetwork, containers: [{ name: 'main', image: 'a', ports: [ports] }] }
    return request('POST', '/api/v1/namespaces/shop/pods', { metadata: { name: 'web' }, spec })
  }

  test('is that of the host, also where nothing is said', async () => {
    const { body } = await create({ containerPort: 80 })
    expect(body.spec.containers[0].ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'TCP' }])
  })

  test('cannot be another, as that of a pod of its own network can', async () => {
    const refused = await create({ containerPort: 80, hostPort: 81 })
    expect(refused).toMatchObject({
      code: 422,
      body: { details: { causes: [{ field: 'spec.containers[0].ports[0].hostPort' }] } },
    })
    const { body } = await create({ containerPort: 80, hostPort: 81 }, false)
    expect(body.spec.containers[0].ports).toEqual([{ containerPort: 80, hostPort: 81, protocol: 'TCP' }])
  })
})
