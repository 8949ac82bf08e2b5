import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Access, Credentials } from '#kubernetes/access/credentials.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import { freePort } from '../support/local-ports.ts'

// Requests over real connections to a server on loopback that does what a test says.

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

let origin: string
let seen: Seen[]
let connections: number
/** Those that are open. */
let open: Set<unknown>
let answer: (seen: Seen, response: ServerResponse) => void
let close: () => Promise<void>
const transports: ApiTransport[] = []

beforeEach(async () => {
  ;[seen, connections, open] = [[], 0, new Set()]
  answer = (_, response) => response.end('{}')
  const sockets = open
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += piece
    const one = { method: request.method, url: request.url, headers: request.headers, body }
    seen.push(one)
    answer(one, response)
  })
  server.on('connection', socket => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  close = async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
})
afterEach(async () => {
  await Promise.all(transports.splice(0).map(one => one.close()))
  await close()
})

/** What requests need, which a test may change between two of them. */
class PaperCredentials implements Credentials {
  given: Partial<Access> = {}
  readonly rejections: Access[] = []

  async access(): Promise<Access> {
    return { origin, prefix: '', headers: {}, tls: { rejectUnauthorized: true }, ...this.given }
  }

  rejected(access: Access): void {
    this.rejections.push(access)
  }
}

function transport(credentials: Credentials = new PaperCredentials()): ApiTransport {
  const one = new ApiTransport({ credentials, userAgent: 'a-test' })
  transports.push(one)
  return one
}

const { signal } = new AbortController()

describe('a request', () => {
  test('has the path behind the prefix, and the headers of who asks; those of credentials go last', async () => {
    const credentials = new PaperCredentials()
    credentials.given = { prefix: '/k8s/c-1', headers: { authorization: 'Bearer t', 'impersonate-group': ['a', 'b'] } }
    const headers = { accept: 'application/yaml', authorization: 'mine' }
    const { status, body } = await transport(credentials).get({ path: '/api?x=1', headers, signal })
    expect([status, await body.text()]).toEqual([200, '{}'])
    expect(seen[0]).toMatchObject({
      ...{ method: 'GET', url: '/k8s/c-1/api?x=1' },
      headers: {
        'user-agent': 'a-test',
        accept: 'application/yaml',
        authorization: 'Bearer t',
        'impersonate-group': 'a, b',
      },
    })
  })

  test('with a body says what it is', async () => {
    const one = transport()
    await (await one.post({ path: '/a', body: '{"ü":1}', signal })).body.text()
    await (await one.patch({ path: '/a', body: '{}', signal })).body.text()
    await (
      await one.patch({ path: '/a', body: '[]', headers: { 'content-type': 'application/json-patch+json' }, signal })
    ).body.text()
    await (await one.send({ path: '/a', method: 'DELETE', signal })).body.text()
    expect(seen.map(({ method, headers, body }) => [method, headers['content-type'], body])).toEqual([
      ['POST', 'application/json', '{"ü":1}'],
      ['PATCH', 'application/merge-patch+json', '{}'],
      ['PATCH', 'application/json-patch+json', '[]'],
      ['DELETE', undefined, ''],
    ])
  })

  test('asks for credentials anew, and says which were not taken', async () => {
    const credentials = new PaperCredentials()
    const one = transport(credentials)
    answer = ({ headers }, response) => response.writeHead(headers.authorization === 'Bearer new' ? 200 : 401).end()
    credentials.given = { headers: { authorization: 'Bearer old' } }
    expect((await one.get({ path: '/', signal })).status).toBe(401)
    expect(credentials.rejections.map(({ headers }) => headers)).toEqual([{ authorization: 'Bearer old' }])
    credentials.given = { headers: { authorization: 'Bearer new' } }
    expect((await one.get({ path: '/', signal })).status).toBe(200)
    expect(credentials.rejections).toHaveLength(1)
  })

  test('that is redirected is not sent elsewhere with its secrets', async () => {
    answer = (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()
    const { status } = await transport().get({ path: '/', signal })
    expect([status, seen.length]).toEqual([307, 1])
  })

  test('to a server that is not there fails with its address, and why', async () => {
    const credentials = new PaperCredentials()
    credentials.given = { origin: `http://127.0.0.1:${await freePort()}` }
    const failed = transport(credentials).get({ path: '/', signal })
    await expect(failed).rejects.toMatchObject({
      message: `cannot reach ${credentials.given.origin}`,
      cause: { code: 'ECONNREFUSED' },
    })
  })

  test('is not sent where there are no credentials', async () => {
    const credentials = { access: () => Promise.reject(new Error('no token')), rejected: () => {} }
    await expect(transport(credentials).get({ path: '/', signal })).rejects.toThrow('no token')
    expect(seen).toEqual([])
  })
})

describe('a request that is aborted', () => {
  test('fails at once, even while credentials are waited for', async () => {
    const stop = new AbortController()
    const asked = transport({ access: () => new Promise(() => {}), rejected: () => {} }).get({
      path: '/',
      signal: stop.signal,
    })
    stop.abort(new Error('stopped'))
    await expect(asked).rejects.toThrow('stopped')
  })

  test('fails at once while the answer is waited for, and where it was aborted before', async () => {
    const stop = new AbortController()
    answer = () => stop.abort(new Error('stopped'))
    const one = transport()
    await expect(one.get({ path: '/', signal: stop.signal })).rejects.toThrow('stopped')
    await expect(one.get({ path: '/', signal: stop.signal })).rejects.toThrow('stopped')
  })

  test('ends its answer in the middle', async () => {
    const stop = new AbortController()
    answer = (_, response) => response.write('half')
    const { body } = await transport().get({ path: '/', signal: stop.signal })
    const pieces = body[Symbol.asyncIterator]()
    expect(String((await pieces.next()).value)).toBe('half')
    stop.abort(new Error('stopped'))
    await expect(pieces.next()).rejects.toThrow('stopped')
  })
})

describe('connections', () => {
  test('are kept from one request to the next, and new ones made where certificates are others', async () => {
    const credentials = new PaperCredentials()
    const one = transport(credentials)
    for (const token of ['a', 'b', 'c']) {
      credentials.given = { headers: { authorization: token } }
      await (await one.get({ path: '/', signal })).body.text()
      await setImmediate()
    }
    expect(connections).toBe(1)
    credentials.given = { tls: { rejectUnauthorized: true, ca: 'another' } }
    await (await one.get({ path: '/', signal })).body.text()
    expect(connections).toBe(2)
    await expect.poll(() => open.size).toBe(1)
  })

  test('made with old certificates serve what still runs on them', async () => {
    const credentials = new PaperCredentials()
    const one = transport(credentials)
    let end = () => {}
    answer = ({ url }, response) => {
      if (url !== '/watch') return void response.end('{}')
      response.write('first ')
      end = () => response.end('last')
    }
    const watch = await one.get({ path: '/watch', signal })
    credentials.given = { tls: { rejectUnauthorized: true, ca: 'another' } }
    await (await one.get({ path: '/', signal })).body.text()
    expect(open.size).toBe(2)
    end()
    expect(await watch.body.text()).toBe('first last')
    await expect.poll(() => open.size).toBe(1)
  })

  test('are all closed at the end, with what runs on them; then nothing is sent any more', async () => {
    const credentials = new PaperCredentials()
    const one = transport(credentials)
    answer = (_, response) => response.write('half')
    const old = await one.get({ path: '/old', signal })
    credentials.given = { tls: { rejectUnauthorized: true, ca: 'another' } }
    const young = await one.get({ path: '/young', signal })
    const broken = Promise.all([old, young].map(({ body }) => expect(body.text()).rejects.toThrow()))
    await one.close()
    await broken
    await expect.poll(() => open.size).toBe(0)
    await expect(one.get({ path: '/', signal })).rejects.toThrow('the connections to the API server are closed')
    expect(seen).toHaveLength(2)
  })
})
