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
