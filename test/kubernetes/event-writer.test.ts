import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { credentialsFrom } from '#kubernetes/access/credentials.ts'
import { type Delay, EventWriter, type Fate, type WrittenEvent } from '#kubernetes/event-writer.ts'
import { type ApiAnswer, ApiTransport, type Post } from '#kubernetes/transport.ts'
import { startApiServer } from '#lab/api-server/server.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { systemClock } from '#system/clock.ts'
import { claimLost, starting } from '#telemetry/events.ts'
import { name } from '../support/objects.ts'

const BY = { nodeName: 'n1', hostname: 'n1', now: 1_000 }

function event(note: string): WrittenEvent {
  return { metadata: { name: 'cart.1', namespace: 'shop' }, reason: 'Because', note }
}

/** What the API server answers to the next requests: a status, an error, or nothing at all. */
type Reply = number | Error | 'silence'

class Desk {
  readonly clock = new PaperClock()
  readonly posts: Post[] = []
  readonly fates: Fate[] = []
  readonly delays: Delay[] = []
  reply: () => Reply = () => 201
  readonly writer = new EventWriter({
    clock: this.clock,
    transport: { post: request => this.#post(request) },
    onFate: fate => this.fates.push(fate),
    onDelay: delay => this.delays.push(delay),
  })

  get results(): readonly string[] {
    return this.fates.map(fate => (fate.result === 'sent' ? 'sent' : fate.why))
  }

  async #post(request: Post): Promise<ApiAnswer> {
    this.posts.push(request)
    const reply = this.reply()
    if (reply instanceof Error) throw reply
    if (reply !== 'silence') return { status: reply, headers: {}, body: emptyBody() }
    return new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason)))
  }
}

function emptyBody(): ApiAnswer['body'] {
  return Object.assign(new PassThrough(), { dump: async () => {} }) as unknown as ApiAnswer['body']
}

let desk: Desk

beforeEach(() => {
  desk = new Desk()
})

afterEach(() => desk.writer.close())

describe('an Event', () => {
  test('is posted to its namespace, and its sender does not wait', async () => {
    desk.writer.send(event('one'))
    await desk.clock.advance(0)
    expect(desk.posts.map(({ path }) => path)).toEqual(['/apis/events.k8s.io/v1/namespaces/shop/events'])
    expect(JSON.parse(desk.posts[0]!.body)).toEqual(event('one'))
    expect(desk.results).toEqual(['sent'])
  })

  test('that the API server refuses is dropped at once', async () => {
    desk.reply = () => 403
    desk.writer.send(event('one'))
    await desk.clock.advance(3_600_000)
    expect(desk.results).toEqual(['the API server answered 403'])
    expect(desk.posts).toHaveLength(1)
  })

  test('that is there already needs no second one', async () => {
    desk.reply = () => 409
    desk.writer.send(event('one'))
    await desk.clock.advance(0)
    expect(desk.results).toEqual(['sent'])
  })

  test.each<[string, Reply]>([
    ['cannot be reached', new Error('cannot reach it')],
    ['answers 500', 500],
    ['answers 429', 429],
    ['does not answer', 'silence'],
  ])('waits while the API server %s, but not for ever', async (_, reply) => {
    desk.reply = () => reply
    desk.writer.send(event('one'))
    await desk.clock.advance(25_000)
    expect(desk.fates).toEqual([])
    desk.reply = () => 201
    await desk.clock.advance(20_000)
    expect(desk.results).toEqual(['sent'])
    desk.reply = () => reply
    desk.writer.send(event('two'))
    await desk.clock.advance(300_000)
    expect(desk.results).toHaveLength(2)
    expect(desk.results[1]).not.toBe('sent')
    expect(desk.clock.sleepers).toBe(0)
  })

  test('is sent of each object it is about', async () => {
    for (const name of ['a', 'b', 'a']) desk.writer.send({ ...event('one'), regarding: { kind: 'Pod', name } })
    await desk.clock.advance(0)
    expect(desk.posts.map(({ body }) => JSON.parse(body).regarding.name)).toEqual(['a', 'b'])
  })

  test('is sent once in ten minutes', async () => {
    desk.writer.send(event('one'))
    desk.writer.send(event('one'))
    await desk.clock.advance(599_999)
    desk.writer.send(event('one'))
    await desk.clock.advance(1)
    desk.writer.send(event('one'))
    await desk.clock.advance(0)
    expect(desk.posts).toHaveLength(2)
  })
})

test('twenty-five go at once, then one in ten seconds, and what does not fit in the queue is dropped', async () => {
  for (let i = 0; i < 200; i++) desk.writer.send(event(`number ${i}`))
  await desk.clock.advance(0)
  expect(desk.posts).toHaveLength(25)
  expect(desk.results.filter(result => result !== 'sent')).toHaveLength(99)
  await desk.clock.advance(60_000)
  expect(desk.posts).toHaveLength(31)
  await desk.clock.advance(3_600_000)
  expect(desk.posts).toHaveLength(101)
})

test('each attempt that failed and is made again is reported, with how many wait', async () => {
  desk.reply = () => 503
  desk.writer.send(event('one'))
  await desk.clock.advance(0)
  desk.writer.send(event('two'))
  await desk.clock.advance(10_000)
  const why = 'the API server answered 503'
  expect(desk.delays).toEqual([
    { why, waiting: 1 },
    { why, waiting: 2 },
  ])
})

test('closing waits for no request, nothing is sent after it, and what was left is reported', async () => {
  desk.reply = () => 'silence'
  desk.writer.send(event('one'))
  desk.writer.send(event('two'))
  await desk.clock.advance(0)
  await desk.writer.close()
  desk.writer.send(event('three'))
  await desk.clock.advance(60_000)
  expect([desk.posts.length, desk.clock.sleepers]).toEqual([1, 0])
  expect(desk.results).toEqual(['the program ended first', 'the program ended first'])
})

test('a real transport takes them to an API server, which keeps one of two with the same name', async () => {
  const server = await startApiServer()
  server.store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  const credentials = await credentialsFrom({
    master: server.url,
    env: {},
    files: { readText: () => Promise.reject(new Error('no files here')) },
    kernel: { run: async () => ({ code: 127, stdout: '', stderr: '' }) },
    clock: systemClock,
  })
  const transport = new ApiTransport({ credentials })
  const fates: Fate[] = []
  const writers = [0, 1].map(() => new EventWriter({ transport, clock: systemClock, onFate: fate => fates.push(fate) }))
  const lost = { id: 'shop/b', service: name('shop/b'), frontend: 'tcp 10.0.0.1 80', holder: 'shop/a' }
  for (const writer of writers) writer.send(claimLost(BY, lost))
  writers[0]!.send(starting(BY))
  await expect.poll(() => fates.map(({ result }) => result), { interval: 5 }).toEqual(['sent', 'sent', 'sent'])
  const posts = server.requests.filter(({ method }) => method === 'POST')
  expect(posts.map(({ path }) => path)).toContain('/apis/events.k8s.io/v1/namespaces/default/events')
  const kept = await fetch(`${server.url}/apis/events.k8s.io/v1/events`)
  const { items } = (await kept.json()) as { items: readonly { readonly reason: string }[] }
  expect(items.map(({ reason }) => reason).sort()).toEqual(['AddressClaimed', 'Starting'])
  await Promise.all(writers.map(writer => writer.close()))
  await transport.close()
  await server.close()
})

test('a field that events.k8s.io does not have does not compile', () => {
  const metadata = { namespace: 'shop', name: 'cart.1' }
  const right: WrittenEvent = { metadata, reason: 'Starting', eventTime: '2026-11-20T10:00:00.000000Z', note: 'n' }
  // @ts-expect-error: note, not message, as in the older group
  const message: WrittenEvent = { metadata, reason: 'Starting', message: 'n' }
  // @ts-expect-error: a time is text in JSON
  const date: WrittenEvent = { metadata, reason: 'Starting', eventTime: new Date() }
  // @ts-expect-error: a reference has a name
  const reference: WrittenEvent = { metadata, reason: 'Starting', regarding: { names: 'cart' } }
  const mistyped = { ...right, regardin: { name: 'cart' } }
  // @ts-expect-error: regarding
  desk.writer.send(mistyped)
  expect([right, message, date, reference].map(({ reason }) => reason)).toEqual(Array(4).fill('Starting'))
})
