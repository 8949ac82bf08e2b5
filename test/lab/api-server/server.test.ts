import { once } from 'node:events'
import { connect } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { freePort } from '../../support/local-ports.ts'
import { ask, OpenWatch, putServices, service } from './api-client.ts'

let server: ApiServer

beforeEach(async () => {
  server = await startApiServer({ now: () => Date.parse('2026-11-20T10:00:00Z') })
})
afterEach(async () => {
  await server.close()
})

describe('the server itself', () => {
  test('is healthy, has a version, and says what it serves', async () => {
    for (const path of ['/healthz', '/readyz', '/livez']) expect((await ask(server.url + path)).text).toBe('ok')
    expect((await ask(`${server.url}/version`)).body).toMatchObject({ major: '1' })
    expect((await ask(`${server.url}/api`)).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] })
    const { groups } = (await ask(`${server.url}/apis`)).body
    const names = groups.map((group: { name: string }) => group.name)
    expect(names).toEqual(['apps', 'events.k8s.io', 'coordination.k8s.io', 'discovery.k8s.io', 'networking.k8s.io'])
    for (const { name, preferredVersion } of groups) {
      expect((await ask(`${server.url}/apis/${name}`)).body).toMatchObject({ kind: 'APIGroup', name })
      const { resources } = (await ask(`${server.url}/apis/${preferredVersion.groupVersion}`)).body
      for (const { name: plural, kind } of resources) {
        const list = await ask(`${server.url}/apis/${preferredVersion.groupVersion}/${plural}`)
        const first = kind === 'ServiceCIDR' ? [{ metadata: { name: 'kubernetes' } }] : []
        if (!plural.includes('/')) expect(list.body).toMatchObject({ kind: `${kind}List`, items: first })
      }
    }
    const { resources } = (await ask(`${server.url}/api/v1`)).body
    const core = resources.map((it: { name: string }) => it.name)
    expect(core.filter((name: string) => /^(nodes|pods|services)/.test(name))).toEqual([
      ...['nodes', 'nodes/status', 'pods', 'pods/binding', 'pods/eviction', 'pods/exec', 'pods/log', 'pods/status'],
      ...['services', 'services/status'],
    ])
  })

  test.each(['/api/v1/endpointslices', '/apis/apps/v1/daemonsets', '/nothing', '/api/v1/namespaces/shop/nodes'])(
    'does not serve %s',
    async path => {
      expect(await ask(server.url + path)).toMatchObject({ code: 404, body: { kind: 'Status', reason: 'NotFound' } })
    },
  )

  test.each([
    ['application/vnd.kubernetes.protobuf', 406],
    ['application/json;as=Table;v=v1;g=meta.k8s.io', 200],
    ['application/json;as=Table;v=v2;g=meta.k8s.io', 406],
    ['application/vnd.kubernetes.protobuf, application/json', 200],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 200],
    ['*/*', 200],
  ])('asked for %s answers %i', async (accept, code) => {
    expect((await ask(`${server.url}/api/v1/services`, { headers: { accept } })).code).toBe(code)
  })

  test('compresses long lists for those who want it', async () => {
    putServices(server.store, 1000)
    const url = `${server.url}/api/v1/services`
    const packed = await ask(url, { headers: { 'accept-encoding': 'gzip' } })
    expect(packed.headers['content-encoding']).toBe('gzip')
    const plain = await ask(url)
    expect(gunzipSync(Buffer.from(packed.text, 'latin1')).toString()).toBe(plain.text)
    const short = await ask(`${url}?limit=5`, { headers: { 'accept-encoding': 'gzip' } })
    expect(short.headers['content-encoding']).toBeUndefined()
  })

  test('remembers what it was asked', async () => {
    await ask(`${server.url}/api/v1/nodes?limit=5&continue=`, { headers: { 'user-agent': 'someone/1.0' } })
    expect(server.requests).toEqual([
      {
        method: 'GET',
        path: '/api/v1/nodes',
        query: { limit: '5', continue: '' },
        headers: expect.objectContaining({ 'user-agent': 'someone/1.0' }),
        time: Date.parse('2026-11-20T10:00:00Z'),
      },
    ])
  })

  test('ends watches cleanly when it is closed, and comes back with its store on the same port', async () => {
    await server.close()
    server = await startApiServer({ port: await freePort() })
    const { port, store } = server
    store.put(service('cart'))
    const watch = await OpenWatch.open(`${server.url}/api/v1/services?watch=true`)
    await watch.brief(1)
    await server.close()
    expect(await watch.over()).toBe('end')
    await expect(ask(`${server.url}/api/v1/services`)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
    server = await startApiServer({ port, store })
    expect((await ask(`${server.url}/api/v1/services`)).body.items).toHaveLength(1)
  })

  test('drops those of clients that have the same port at different addresses, and can be closed with them', async () => {
    const localPort = await freePort()
    const ends = ['127.0.0.1', '127.0.0.2'].map(async localAddress => {
      const socket = connect({ host: '127.0.0.1', port: server.port, localAddress, localPort })
      const ended = new Promise(resolve => socket.once('error', error => resolve(error)))
      await once(socket, 'connect')
      socket.write('GET /api/v1/services?watch=true HTTP/1.1\r\nHost: x\r\n\r\n')
      await once(socket, 'data')
      return { ended }
    })
    const clients = await Promise.all(ends)
    server.dropConnections()
    for (const { ended } of clients) expect(await ended).toMatchObject({ code: 'ECONNRESET' })
  })

  test('drops every connection on demand', async () => {
    const watch = await OpenWatch.open(`${server.url}/api/v1/services?watch=true`)
    server.dropConnections()
    expect(await watch.over()).toBe('ECONNRESET')
  })
})

describe('a server that wants tokens', () => {
  test('answers only those who have one, and follows the set', async () => {
    const tokens = new Set(['old'])
    const guarded = await startApiServer({ tokens })
    const get = (headers: Record<string, string>) => ask(`${guarded.url}/api/v1/services`, { headers })
    expect(await get({})).toMatchObject({ code: 401, body: { reason: 'Unauthorized' } })
    expect((await get({ authorization: 'Bearer old' })).code).toBe(200)
    tokens.delete('old')
    tokens.add('new')
    expect((await get({ authorization: 'Bearer old' })).code).toBe(401)
    expect((await get({ authorization: 'Bearer new' })).code).toBe(200)
    expect((await ask(`${guarded.url}/healthz`)).code).toBe(200)
    await guarded.close()
  })
})
