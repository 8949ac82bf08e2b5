import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type HttpListener, type HttpResponder, type HttpStream, respond, serveHttp } from '#system/sockets.ts'
import { ask, freePort, HAS_IPV6 } from '../support/local-ports.ts'

const servers: HttpListener[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.close()))
})

async function serve(answer: HttpResponder, at: { host?: string; port: number } = { port: 0 }): Promise<HttpListener> {
  const server = await serveHttp(at, answer)
  servers.push(server)
  return server
}

/** What comes back for these very bytes. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes))
    socket.setEncoding('utf8').on('data', text => (heard += text))
    socket.on('close', () => resolve(heard)).on('error', reject)
  })
}

describe('a server', () => {
  test('hands over what was asked, and says how long its answer is', async () => {
    const { port } = await serve(({ method, path, query }) => ({
      status: 203,
      headers: { 'Content-Type': 'text/plain' },
      body: `${method} ${path} ${query.get('verbose')} ü`,
    }))
    const { status, headers, body } = await ask(port, '/a/b?verbose=1')
    expect([status, headers.get('content-length'), body]).toEqual([203, '13', 'GET /a/b 1 ü'])
  })

  test.runIf(HAS_IPV6)('without a host answers in both families', async () => {
    const { port } = await serve(() => ({ status: 200, body: 'here' }))
    expect((await ask(port, '/')).body).toBe('here')
    expect((await ask(port, '/', '[::1]')).body).toBe('here')
  })

  test.runIf(HAS_IPV6)('of all IPv6 addresses leaves the IPv4 port to another server', async () => {
    const port = await freePort()
    await serve(() => ({ status: 200, body: 'six' }), { host: '::', port })
    await serve(() => ({ status: 200, body: 'four' }), { host: '0.0.0.0', port })
    expect((await ask(port, '/')).body).toBe('four')
    expect((await ask(port, '/', '[::1]')).body).toBe('six')
  })

  test('goes on with an answer that has more to come, until the other side leaves', async () => {
    const begun = Promise.withResolvers<HttpStream>()
    const left = Promise.withResolvers<void>()
    const { port } = await serve(() => ({
      ...{ status: 200, headers: { 'Content-Type': 'text/event-stream' }, body: 'first\n' },
      stream: async to => {
        begun.resolve(to)
        await new Promise(resolve => to.closed.addEventListener('abort', resolve, { once: true }))
        left.resolve()
      },
    }))
    const leave = new AbortController()
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: leave.signal })
    expect(response.headers.get('content-length')).toBeNull()
    const pieces = response.body!.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]()
    expect((await pieces.next()).value).toBe('first\n')
    const to = await begun.promise
    to.write('second\n')
    expect((await pieces.next()).value).toBe('second\n')
    expect([to.isBehind, to.closed.aborted]).toEqual([false, false])
    leave.abort()
    await left.promise
  })

  test('says that the other side has gone also where it went before there was an answer', async () => {
    const gone = Promise.withResolvers<boolean>()
    const leave = new AbortController()
    const server = createServer((request, response) => {
      const stream = async ({ closed }: HttpStream) => gone.resolve(closed.aborted)
      const left = once(response, 'close').then(() => ({ status: 200, body: '', stream }))
      void respond(() => left, request, response)
      leave.abort()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    await expect(fetch(`http://127.0.0.1:${port}/`, { signal: leave.signal })).rejects.toThrow()
    expect(await gone.promise).toBe(true)
    server.close()
  })

  test('ends an answer that has more to come when it is closed, and has none for HEAD', async () => {
    const ended = Promise.withResolvers<void>()
    const server = await serveHttp({ port: 0 }, () => ({
      ...{ status: 200, body: 'first\n' },
      stream: to => new Promise(resolve => to.closed.addEventListener('abort', () => resolve(ended.resolve()))),
    }))
    const url = `http://127.0.0.1:${server.port}/`
    expect(await (await fetch(url, { method: 'HEAD' })).text()).toBe('')
    const response = await fetch(url)
    await Promise.all([server.close(), ended.promise])
    await expect(response.text()).rejects.toThrow()
  })

  test('outlives an answer that fails', async () => {
    const { port } = await serve(() => {
      throw new Error('no idea')
    })
    expect(await ask(port, '/')).toMatchObject({ status: 500, body: 'Error: no idea\n' })
    expect((await ask(port, '/')).status).toBe(500)
  })

  test.each(['//', '/%zz', '*', 'http://[', '/\u0000', 'no/slash'])('outlives a client that asks for %j', async url => {
    const { port } = await serve(({ path }) => ({ status: 200, body: path }))
    expect(await raw(port, `OPTIONS ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 [24]00/,
    )
    expect((await ask(port, '/still')).body).toBe('/still')
  })

  test('says to HEAD what it would say, without saying it', async () => {
    const { port } = await serve(() => ({ status: 200, body: 'body' }))
    const answer = await raw(port, 'HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(answer).toMatch(/content-length: 4/i)
    expect(answer.endsWith('\r\n\r\n')).toBe(true)
  })

  test('rejects where the port is taken, and frees it when it closes, whatever clients are still connected', async () => {
    const first = await serve(() => ({ status: 200, body: '' }), { port: await freePort() })
    const lingering = connect(first.port, '127.0.0.1').on('error', () => {})
    await new Promise(resolve => lingering.once('connect', resolve))
    await expect(serveHttp({ port: first.port }, () => ({ status: 200, body: '' }))).rejects.toThrow('EADDRINUSE')
    await first.close()
    await serve(() => ({ status: 200, body: '' }), { port: first.port })
  })
})
