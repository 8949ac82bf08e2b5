import type { ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { Listener } from './listener.ts'
import { line, listEnd, type Scripted, startScripted, writeAll } from './scripted.ts'

// More objects in one namespace than an argument list can hold; text that is cut inside a character or a string.

const MANY = 130_000
const SPEC = { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [{ port: 80, protocol: 'TCP' }] }

let server: Scripted
let listener: Listener

afterEach(async () => {
  await listener.stop()
  await server.close()
})

function service(i: number, version = i + 1): object {
  const metadata = { namespace: 'shop', name: `s${i}`, uid: `u${i}`, resourceVersion: String(version) }
  return { metadata: { ...metadata, creationTimestamp: '2030-01-01T00:00:00Z' }, spec: SPEC }
}

function* manyLines(): Generator<string> {
  for (let i = 0; i < MANY; i += 500) {
    yield Array.from({ length: 500 }, (_, n) => line('ADDED', service(i + n))).join('')
  }
  yield listEnd('500000')
}

function emptyList(response: ServerResponse): void {
  response.write(listEnd('1'))
}

test('a streamed list of 130,000 objects, twice: the second time nothing has changed and nothing is delivered', async () => {
  let lists = 0
  server = await startScripted(async ({ pathname }, response) => {
    if (!pathname.endsWith('services')) return emptyList(response)
    await writeAll(response, manyLines())
    lists += 1
    if (lists === 1) response.end(line('ERROR', { code: 410, message: 'too old' }))
  })
  listener = new Listener(server.url, { limits: { silenceMs: 60_000, listIdleMs: 60_000, streamedListMs: 90_000 } })
  await listener.until(() => listener.stats.Service.lists === 2, 'two lists')
  expect(listener.stats.Service).toMatchObject({ objects: MANY, gone: 1 })
  expect(listener.objects.size).toBe(MANY)
  expect(listener.events).toHaveLength(MANY + 3)
})

test('a list of 130,000 objects in one page, as an API server that ignores the limit sends it', async () => {
  server = await startScripted(async ({ pathname, searchParams }, response) => {
    if (!pathname.endsWith('services')) return emptyList(response)
    if (searchParams.get('sendInitialEvents')) return void response.writeHead(422).end()
    if (searchParams.get('watch')) return
    const items = Array.from({ length: MANY }, (_, i) => service(i))
    response.end(JSON.stringify({ metadata: { resourceVersion: '500000' }, items }))
  })
  listener = new Listener(server.url, { limits: { silenceMs: 60_000, listIdleMs: 60_000, headersMs: 60_000 } })
  await listener.until(() => listener.stats.Service.synced, 'synced')
  expect(listener.objects.size).toBe(MANY)
})

test('a list that changes while it is sent: nothing of it is delivered before it is whole', async () => {
  let finish = () => {}
  server = await startScripted(async ({ pathname }, response) => {
    if (!pathname.endsWith('services')) return emptyList(response)
    response.write([0, 1, 2].map(i => line('ADDED', service(i))).join(''))
    response.write(line('DELETED', service(1, 7)) + line('MODIFIED', service(2, 8)))
    response.write(line('BOOKMARK', { metadata: { resourceVersion: '8' } }))
    finish = () => response.write(line('ADDED', service(3, 9)) + listEnd('9'))
  })
  listener = new Listener(server.url, { limits: { listIdleMs: 5000, streamedListMs: 5000, silenceMs: 5000 } })
  await listener.until(() => listener.stats.Node.synced && listener.stats.Service.lastActivityAt > 0, 'the others')
  expect(listener.events.some(({ type }) => type === 'put')).toBe(false)
  finish()
  await listener.synced()
  const delivered = listener.events.filter(event => event.type !== 'synced')
  expect(delivered.map(event => event.type === 'put' && event.object.name)).toEqual(['shop/s0', 'shop/s2', 'shop/s3'])
})

test('line separators that are none stay inside their strings, wherever the network cuts', async () => {
  const shown = { ...service(1), spec: { ...SPEC, externalName: 'a\u2028b\u2029c\u0085d', comment: '😀' } }
  const text = Buffer.from(line('ADDED', shown) + line('DELETED', service(0, 9)) + listEnd('9'))
  server = await startScripted(async ({ pathname }, response) => {
    if (!pathname.endsWith('services')) return emptyList(response)
    response.flushHeaders()
    for (let i = 0; i < text.length; i += 7) {
      response.write(text.subarray(i, i + 7))
      await new Promise(resolve => setImmediate(resolve))
    }
  })
  listener = new Listener(server.url, { limits: { silenceMs: 5000 } })
  await listener.synced()
  expect(listener.names('Service')).toEqual(['shop/s1'])
  expect(listener.stats.Service.malformed).toBe(0)
})
