import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { servedForm, storedForm } from '#lab/api-server/event-forms.ts'
import { CORE_EVENTS, EVENTS } from '#lab/api-server/requests/resources.ts'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import type { Storage } from '#lab/api-server/storage/database.ts'
import { ApiStore } from '#lab/api-server/store.ts'
import { ask, OpenWatch } from './api-client.ts'

const NEWER = {
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: 'cart.1', namespace: 'default' },
  eventTime: '2026-11-20T10:00:00.000000Z',
  regarding: { kind: 'Pod', name: 'cart', namespace: 'default' },
  reportingController: 'example.com/agent',
  reportingInstance: 'one',
  deprecatedSource: { component: 'agent', host: 'one' },
  deprecatedFirstTimestamp: '2026-11-20T10:00:00Z',
  deprecatedLastTimestamp: '2026-11-20T10:01:00Z',
  deprecatedCount: 3,
  action: 'Starting',
  reason: 'Started',
  note: 'it runs',
  type: 'Normal',
}

const CORE = {
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'cart.1', namespace: 'default' },
  eventTime: '2026-11-20T10:00:00.000000Z',
  involvedObject: { kind: 'Pod', name: 'cart', namespace: 'default' },
  reportingComponent: 'example.com/agent',
  reportingInstance: 'one',
  source: { component: 'agent', host: 'one' },
  firstTimestamp: '2026-11-20T10:00:00Z',
  lastTimestamp: '2026-11-20T10:01:00Z',
  count: 3,
  action: 'Starting',
  reason: 'Started',
  message: 'it runs',
  type: 'Normal',
}

const FIELDS = Object.keys(NEWER).filter(field => field !== 'apiVersion' && field !== 'metadata')

describe('the two forms of an Event', () => {
  test('name the same fields', () => {
    expect(storedForm(EVENTS, NEWER)).toEqual(CORE)
    expect(servedForm(EVENTS, CORE)).toEqual(NEWER)
  })

  test('lose nothing on the way to the other and back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...FIELDS, 'series', 'related'), fc.jsonValue()), fields => {
        const event = { ...fields, apiVersion: 'events.k8s.io/v1', metadata: { name: 'any' } }
        expect(servedForm(EVENTS, storedForm(EVENTS, event))).toEqual(event)
      }),
    )
  })

  test('of what has not changed are the same objects', () => {
    expect(servedForm(EVENTS, CORE)).toBe(servedForm(EVENTS, CORE))
    expect(servedForm(CORE_EVENTS, CORE)).toBe(CORE)
    expect(storedForm(CORE_EVENTS, CORE)).toBe(CORE)
  })
})

describe('an Event of either group', () => {
  const AT_CORE = '/api/v1/namespaces/default/events'
  const AT_NEWER = '/apis/events.k8s.io/v1/namespaces/default/events'
  let server: ApiServer

  beforeEach(async () => {
    server = await startApiServer()
  })
  afterEach(() => server.close())

  test('is listed and selected in both', async () => {
    await ask(server.url + AT_NEWER, { method: 'POST', body: NEWER })
    const core = await ask(`${server.url}${AT_CORE}?fieldSelector=involvedObject.name=cart`)
    expect(core.body).toMatchObject({
      apiVersion: 'v1',
      items: [{ involvedObject: { name: 'cart' }, message: 'it runs' }],
    })
    const newer = await ask(`${server.url}${AT_NEWER}?fieldSelector=regarding.name=cart`)
    expect(newer.body).toMatchObject({ apiVersion: 'events.k8s.io/v1', items: [{ note: 'it runs' }] })
    expect(newer.body.items[0]).not.toHaveProperty('message')
  })

  test('is watched in both, also to its end', async () => {
    const core = await OpenWatch.open(`${server.url}${AT_CORE}?watch=true`)
    const newer = await OpenWatch.open(`${server.url}${AT_NEWER}?watch=true`)
    await ask(server.url + AT_NEWER, { method: 'POST', body: NEWER })
    await ask(`${server.url}${AT_CORE}/cart.1`, { method: 'DELETE' })
    for (const watch of [core, newer]) expect(await watch.brief(2)).toEqual(['ADDED cart.1', 'DELETED cart.1'])
  })

  test('is changed where the other group reads it', async () => {
    await ask(server.url + AT_CORE, { method: 'POST', body: CORE })
    const headers = { 'content-type': 'application/merge-patch+json' }
    const series = { count: 7, lastObservedTime: '2026-11-20T10:05:00.000000Z' }
    const body = { series, note: 'it runs on' }
    const changed = await ask(`${server.url}${AT_NEWER}/cart.1`, { method: 'PATCH', headers, body })
    expect(changed.body).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'it runs on', series })
    const core = await ask(`${server.url}${AT_CORE}/cart.1`)
    expect(core.body).toMatchObject({ apiVersion: 'v1', message: 'it runs on', count: 3, series })
  })

  test('of one name is there once', async () => {
    await ask(server.url + AT_CORE, { method: 'POST', body: CORE })
    expect((await ask(server.url + AT_NEWER, { method: 'POST', body: NEWER })).code).toBe(409)
  })

  test('is what it was in an older list', async () => {
    await ask(server.url + AT_CORE, { method: 'POST', body: CORE })
    const before = (await ask(server.url + AT_NEWER)).body
    await ask(`${server.url}${AT_CORE}/cart.1`, { method: 'DELETE' })
    const { resourceVersion } = before.metadata
    const older = await ask(`${server.url}${AT_NEWER}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`)
    expect(older.body.items).toEqual(before.items)
  })
})

test('an Event that an older database kept on a shelf of events.k8s.io comes to the one that both groups read', () => {
  const rows = new Map([
    ['events.k8s.io/v1/events default/cart.1', { ...NEWER, metadata: { ...NEWER.metadata, resourceVersion: '7' } }],
  ])
  let newest = 9
  const storage: Storage = {
    load: () => ({
      revision: newest,
      objects: [...rows].map(([row, object]) => ({ shelf: row.split(' ')[0]!, key: row.split(' ')[1]!, object })),
    }),
    write: (shelf, key, object) => {
      rows.set(`${shelf} ${key}`, object as never)
      newest = Number(object.metadata.resourceVersion)
    },
    erase: (shelf, key, revision) => {
      rows.delete(`${shelf} ${key}`)
      newest = revision
    },
    close: () => {},
  }
  expect(new ApiStore({ storage }).list('Event')).toMatchObject([{ apiVersion: 'v1', message: 'it runs' }])
  expect([...rows.keys()]).toEqual(['v1/events default/cart.1'])
  expect(newest).toBe(9)
})
