import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import type { ApiObject } from '#lab/api-server/store.ts'
import { BOOKMARK_MS, Listener, rawNode, rawService, rawSlice } from './listener.ts'

// The ranges of Services: watched where a mode asks for them, and no sync waits for them.

let server: ApiServer
let listener: Listener

beforeEach(async () => {
  server = await startApiServer({ bookmarkMs: BOOKMARK_MS })
  for (const object of [rawService('cart'), rawSlice('cart-1'), rawNode()]) server.store.put(object)
})

afterEach(async () => {
  await listener.stop()
  await server.close()
})

function range(name: string, ...cidrs: readonly string[]): ApiObject {
  return { kind: 'ServiceCIDR', apiVersion: 'networking.k8s.io/v1', metadata: { name }, spec: { cidrs } }
}

function listen(refusedMs = 60_000): void {
  listener = new Listener(server.url, { extras: ['ServiceCIDR'], limits: { refusedMs, noticeEveryMs: 0 } })
}

const isSynced = (): boolean => listener.events.some(event => event.type === 'synced' && event.kind === 'ServiceCIDR')
const asked = (): number => server.requests.filter(({ path }) => path.endsWith('/servicecidrs')).length

test('ranges are delivered as they come, change and go', async () => {
  server.store.put(range('kubernetes', '10.96.0.0/12', 'fd10:96::/108'))
  listen()
  await listener.until(isSynced, 'synced')
  expect(listener.objects.get('ServiceCIDR kubernetes')).toEqual({
    kind: 'ServiceCIDR',
    name: 'kubernetes',
    cidrs: ['10.96.0.0/12', 'fd10:96::/108'],
  })
  server.store.put(range('more', '10.112.0.0/16'))
  await listener.until(() => listener.names('ServiceCIDR').includes('more'), 'a second range')
  server.store.remove('ServiceCIDR', undefined, 'more')
  await listener.until(() => !listener.names('ServiceCIDR').includes('more'), 'one range')
})

describe.each([404, 403])('an API server that answers %i', code => {
  test('is as good as one without any, is asked rarely, and is believed when it has some after all', async () => {
    server.store.put(range('kubernetes', '10.96.0.0/12'))
    server.inject({ do: 'status', code, resource: 'servicecidrs', times: 2 })
    listen(150)
    await listener.until(isSynced, 'synced')
    expect(listener.names('ServiceCIDR')).toEqual([])
    expect(listener.noticesOf('absent')).toMatchObject([{ resource: 'ServiceCIDR', retryMs: 150 }])
    await listener.until(() => listener.names('ServiceCIDR').length > 0, 'the range')
    expect(listener.events.filter(event => event.type === 'synced' && event.kind === 'ServiceCIDR')).toHaveLength(1)
  })

  test('is left alone in between', async () => {
    server.inject({ do: 'status', code, resource: 'servicecidrs' })
    listen()
    await listener.until(isSynced, 'synced')
    const before = asked()
    server.store.put(rawService('new'))
    await listener.until(() => listener.names('Service').includes('shop/new'), 'a new Service')
    expect([before, asked()]).toEqual([1, 1])
    expect(listener.noticesOf('forbidden')).toEqual([])
  })
})

test('a source that does not ask for ranges delivers none, and the API server is not asked', async () => {
  server.store.put(range('kubernetes', '10.96.0.0/12'))
  listener = new Listener(server.url)
  await listener.synced()
  expect([listener.names('ServiceCIDR'), asked()]).toEqual([[], 0])
})
