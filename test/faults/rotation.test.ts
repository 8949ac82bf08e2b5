import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Credentials, credentialsFrom } from '#kubernetes/access/credentials.ts'
import { type ApiServer, type ApiTls, startApiServer } from '#lab/api-server/server.ts'
import { systemClock } from '#system/clock.ts'
import type { Command, Outcome } from '#system/ports.ts'
import { execCredential, kubeconfig, PaperFiles } from '../kubernetes/desk.ts'
import { Authority, type Pair } from './certificates.ts'
import { BOOKMARK_MS, Listener, rawNode, rawService, rawSlice } from './listener.ts'

// Tokens, certificates and authorities that are replaced while the agent runs, over real TLS.

let authority: Authority
let other: Authority
let ours: Pair
let theirs: Pair
let named: Pair
let client: Pair

let server: ApiServer
let listener: Listener
let tokens: Set<string>
let files: PaperFiles

beforeAll(() => {
  authority = new Authority('one')
  other = new Authority('two')
  ours = authority.sign('apiserver')
  theirs = other.sign('apiserver')
  named = authority.sign('apiserver', 'DNS:kubernetes.default')
  client = authority.sign('system:node:n1')
})

afterAll(() => {
  authority.remove()
  other.remove()
})

beforeEach(() => {
  tokens = new Set(['one'])
  files = new PaperFiles({ '/ca': authority.cert, '/token': 'one' })
})

afterEach(async () => {
  await listener.stop()
  await server.close()
})

async function start(pair: Pair, more: Partial<ApiTls> & { port?: number } = {}): Promise<void> {
  const { port = 0, ...tls } = more
  const store = server?.store
  server = await startApiServer({
    tls: { ...pair, ...tls },
    tokens,
    port,
    bookmarkMs: BOOKMARK_MS,
    ...(port > 0 && { store }),
  })
  for (const object of [rawService('cart'), rawSlice('cart-1'), rawNode()]) server.store.put(object)
}

interface Entries {
  readonly user?: object
  readonly cluster?: object
  readonly run?: (command: Command) => Promise<Outcome>
}

function credentials({ user = { tokenFile: '/token' }, cluster = {}, run }: Entries): Promise<Credentials> {
  const text = kubeconfig(user, { server: server.url, 'certificate-authority': '/ca', ...cluster })
  files.texts.set('/kubeconfig', text)
  const kernel = { run: run ?? (async () => ({ code: 127, stdout: '', stderr: '' })) }
  return credentialsFrom({ kubeconfig: '/kubeconfig', env: {}, files, kernel, clock: systemClock })
}

async function listen(entries: Entries = {}): Promise<void> {
  listener = new Listener(server.url, { credentials: await credentials(entries) })
}

async function restart(pair: Pair, tls: Partial<ApiTls> = {}): Promise<void> {
  const { port } = server
  server.dropConnections()
  await server.close()
  await start(pair, { port, ...tls })
}

test("kubeadm's tokenFile lets us in", async () => {
  await start(ours)
  await listen()
  await listener.synced()
  expect(server.requests.every(({ headers }) => headers.authorization === 'Bearer one')).toBe(true)
})

describe('a token', () => {
  test('that was revoked: we are in again as soon as the file has the new one', async () => {
    await start(ours)
    await listen()
    await listener.synced()
    tokens.delete('one')
    tokens.add('two')
    server.dropConnections()
    await listener.until(() => listener.noticesOf('unauthorized').length > 0, 'a 401')
    files.texts.set('/token', 'two')
    server.store.put(rawService('new'))
    await listener.equals(server.store)
    expect(listener.stats.Service.lists).toBe(1)
  })

  test('that is not there yet: we wait, and say for what', async () => {
    await start(ours)
    files.texts.delete('/token')
    await listen()
    await listener.until(() => listener.stats.Service.failures > 2, 'failures')
    expect(listener.noticesOf('waiting')).toMatchObject([
      { reason: 'cannot read users[0].user.tokenFile of /kubeconfig, /token: there is no such file' },
    ])
    files.texts.set('/token', 'one')
    await listener.synced()
  })

  test('from a plugin: a 401 makes it run again, once for all watches', async () => {
    await start(ours)
    let runs = 0
    const run = async () => execCredential({ token: ++runs === 1 ? 'one' : 'two' })
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'login' }
    await listen({ user: { exec }, run })
    await listener.synced()
    expect(runs).toBe(1)
    tokens.delete('one')
    tokens.add('two')
    server.dropConnections()
    server.store.put(rawService('new'))
    await listener.equals(server.store)
    await listener.until(() => listener.stats.Node.watches > 1 && listener.stats.EndpointSlice.watches > 1, 'watches')
    expect(runs).toBe(2)
  })
})

describe('a certificate authority', () => {
  test('that is not ours: nothing is asked, and it is said why', async () => {
    await start(theirs)
    await listen()
    await listener.until(() => listener.stats.Service.failures > 2, 'failures')
    expect(server.requests).toEqual([])
    expect(listener.noticesOf('waiting')).toMatchObject([
      {
        reason: `cannot reach ${server.url} (its certificate is not signed by the certificate authority we were given)`,
      },
    ])
  })

  test('that was replaced: the new file counts from the next request on', async () => {
    await start(ours)
    await listen()
    await listener.synced()
    await restart(theirs)
    await listener.until(() => listener.stats.Service.failures > 2, 'failures')
    files.texts.set('/ca', other.cert)
    server.store.put(rawService('new'))
    await listener.equals(server.store)
    // And back: the pool of connections for the old one was closed, and must not be used again.
    await restart(ours)
    files.texts.set('/ca', authority.cert)
    server.store.put(rawService('newer'))
    await listener.equals(server.store)
  })

  test('is not asked where the kubeconfig says so', async () => {
    await start(theirs)
    await listen({ cluster: { 'certificate-authority': '', 'insecure-skip-tls-verify': true } })
    await listener.synced()
  })

  test('vouches for a name, and the kubeconfig may say for which', async () => {
    await start(named)
    await listen({ cluster: { 'tls-server-name': 'kubernetes.default' } })
    await listener.synced()
    await listener.stop()
    await listen()
    await listener.until(() => listener.noticesOf('waiting').length > 0, 'a refusal')
    expect(listener.noticesOf('waiting')).toMatchObject([
      { reason: expect.stringContaining('IP: 127.0.0.1 is not in') },
    ])
  })
})

describe('a client certificate', () => {
  const user = { 'client-certificate': '/me.crt', 'client-key': '/me.key' }

  test('lets us in', async () => {
    await start(ours, { ca: authority.cert, requestCert: true })
    files.texts.set('/me.crt', client.cert).set('/me.key', client.key)
    await listen({ user })
    await listener.synced()
  })

  test('that was replaced counts from the next request on; half a replacement is waited out', async () => {
    const foreign = other.sign('system:node:n1')
    await start(ours, { ca: authority.cert, requestCert: true })
    files.texts.set('/me.crt', foreign.cert).set('/me.key', foreign.key)
    await listen({ user })
    await listener.until(() => listener.noticesOf('unauthorized').length > 0, 'a 401')
    files.texts.set('/me.crt', client.cert)
    await listener.until(() => listener.noticesOf('waiting').length > 0, 'a pair that is none')
    files.texts.set('/me.key', client.key)
    await listener.synced()
  })

  test('from a plugin lets us in', async () => {
    await start(ours, { ca: authority.cert, requestCert: true })
    const status = { clientCertificateData: client.cert, clientKeyData: client.key }
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'login' }
    await listen({ user: { exec }, run: async () => execCredential(status) })
    await listener.synced()
  })
})

describe('through a proxy', () => {
  let proxy: Server
  const asked: string[] = []

  beforeAll(async () => {
    proxy = createServer()
    proxy.on('connect', (request, socket) => {
      asked.push(request.url!)
      const upstream = connect(Number(request.url!.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        upstream.pipe(socket).pipe(upstream)
      })
      upstream.on('error', () => socket.destroy())
      socket.on('error', () => upstream.destroy())
    })
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  })

  afterAll(() => {
    proxy.close()
  })

  test('as the kubeconfig says', async () => {
    await start(ours)
    await listen({ cluster: { 'proxy-url': `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` } })
    await listener.synced()
    expect(new Set(asked)).toEqual(new Set([`127.0.0.1:${server.port}`]))
  })
})
