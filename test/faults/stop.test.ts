import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Credentials } from '#kubernetes/access/credentials.ts'
import type { Fault } from '#lab/api-server/fault-plan.ts'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { BOOKMARK_MS, credentialsTo, Listener, rawNode, rawService, rawSlice } from './listener.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

// Stop means stop: at every point at which we may be waiting, without another event, and with nothing left behind.

let server: ApiServer
let proxy: TcpProxy

beforeEach(async () => {
  server = await startApiServer({ bookmarkMs: BOOKMARK_MS })
  proxy = await startTcpProxy({ port: server.port })
  for (const object of [rawService('cart'), rawSlice('cart-1'), rawNode()]) server.store.put(object)
})

afterEach(async () => {
  await proxy.close()
  await server.close()
})

const url = () => `http://127.0.0.1:${proxy.port}`
/** Nothing is awaited that takes longer than this: the limits would be hundreds of times as long. */
const PATIENT = { headersMs: 30_000, listIdleMs: 30_000, silenceMs: 100_000, backoffMs: 10_000, streamedListMs: 60_000 }

async function mustStopSoon(listener: Listener): Promise<void> {
  const since = performance.now()
  await listener.stop()
  expect(performance.now() - since).toBeLessThan(1500)
}

async function mustStop(listener: Listener): Promise<void> {
  const events = listener.events.length
  await mustStopSoon(listener)
  const requests = server.requests.length
  server.store.put(rawService(`after-${requests}`))
  await listener.until(() => proxy.open === 0, 'no connection')
  expect(listener.events).toHaveLength(events)
  expect(server.requests).toHaveLength(requests)
}

/** A moment in which everything that is under way gets as far as it can. */
async function settled(requests: number): Promise<void> {
  while (server.requests.length < requests) await new Promise(resolve => setImmediate(resolve))
  for (let i = 0; i < 10; i++) await new Promise(resolve => setImmediate(resolve))
}

test('while watching', async () => {
  const listener = new Listener(url(), { limits: PATIENT })
  await listener.synced()
  await mustStop(listener)
})

test('before anything was asked', async () => {
  const listener = new Listener(url(), { limits: PATIENT })
  await listener.stop()
  expect(listener.events).toEqual([])
  expect(server.requests).toEqual([])
})

describe('while waiting', () => {
  const stalls: [string, Fault][] = [
    ['for the answer', { do: 'stall', at: 'headers' }],
    ['for the body', { do: 'stall', at: 'body' }],
    ['in the middle of a streamed list', { do: 'withhold', what: 'bookmarks' }],
    ['for the next attempt', { do: 'status', code: 503 }],
    ['for the next attempt, which the API server puts off', { do: 'status', code: 429, retryAfterSeconds: 60 }],
  ]

  test.each(stalls)('%s', async (_, fault) => {
    server.inject(fault)
    const listener = new Listener(url(), { limits: PATIENT })
    await settled(3)
    await mustStop(listener)
  })

  test.each([['headers'], ['body'], ['half']] as const)('for a page: %s', async at => {
    server.inject({ do: 'refuse-watch-list', how: 'status-422' })
    server.inject({ do: 'stall', at, on: 'list' })
    const listener = new Listener(url(), { limits: PATIENT })
    await settled(6)
    await mustStop(listener)
  })

  test.each([['http'], ['https']])('for the server to speak %s on a connection that it took', async scheme => {
    proxy.blackHole()
    const listener = new Listener(`${scheme}://127.0.0.1:${proxy.port}`, { limits: PATIENT })
    await listener.until(() => proxy.open === 3, 'connections')
    await mustStopSoon(listener)
  })

  test('for a refused connection to come back', async () => {
    await proxy.refuse()
    const listener = new Listener(url(), { limits: PATIENT })
    await listener.until(() => listener.stats.Service.failures > 0, 'a failure')
    await mustStop(listener)
  })

  test('for credentials that never come', async () => {
    const credentials: Credentials = { access: () => new Promise(() => {}), rejected: () => {} }
    const listener = new Listener(url(), { limits: PATIENT, credentials })
    await settled(0)
    await mustStop(listener)
  })
})

describe('the listener', () => {
  test('that stops in the middle of a picture gets no more of it', async () => {
    for (let i = 0; i < 50; i++) server.store.put(rawService(`s${i}`))
    let listener!: Listener
    const apply = () => {
      if (listener.events.length === 10) void listener.stop()
    }
    listener = new Listener(url(), { limits: PATIENT, apply })
    await listener.ended
    expect(listener.events).toHaveLength(10)
  })

  test('that throws ends everything, and hears of its own mistake', async () => {
    const apply = () => {
      throw new Error('a mistake of the listener')
    }
    const listener = new Listener(url(), { limits: PATIENT, apply })
    await expect(listener.ended).rejects.toThrow('a mistake of the listener')
    await listener.until(() => proxy.open === 0, 'no connection')
    expect(listener.events).toHaveLength(1)
  })

  test('that stops twice stops once', async () => {
    const listener = new Listener(url(), { limits: PATIENT })
    await listener.synced()
    await Promise.all([mustStop(listener), listener.stop()])
    await listener.stop()
  })

  test('that asks twice has two streams, each with its own end', async () => {
    const credentials = await credentialsTo(url())
    const one = new Listener(url(), { credentials, limits: PATIENT })
    const two = new Listener(url(), { credentials, limits: PATIENT })
    await Promise.all([one.synced(), two.synced()])
    await one.stop()
    server.store.put(rawService('new'))
    await two.equals(server.store)
    expect(one.names('Service')).toEqual(['shop/cart'])
    await mustStop(two)
  })
})
