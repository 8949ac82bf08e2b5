import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FaultAction } from '#lab/api-server/fault-plan.ts'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { ask, OpenWatch, putServices, service } from './api-client.ts'

let server: ApiServer
const WATCH_LIST = 'allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan'
const LIST = '/api/v1/services'

beforeEach(async () => {
  server = await startApiServer({ bookmarkMs: 0 })
  server.store.put(service('cart'))
})
afterEach(() => server.close())

function watch(query = 'resourceVersion=2&allowWatchBookmarks=true'): Promise<OpenWatch> {
  return OpenWatch.open(`${server.url}${LIST}?watch=true&${query}`)
}

describe('an API server without WatchList', () => {
  const refusing = (how: Extract<FaultAction, { do: 'refuse-watch-list' }>['how']) =>
    server.inject({ do: 'refuse-watch-list', how })

  test.each([400, 422] as const)('says %i, and serves plain watches', async code => {
    refusing(`status-${code}`)
    expect(await ask(`${server.url}${LIST}?watch=true&${WATCH_LIST}`)).toMatchObject({ code, body: { code } })
    expect(await (await watch('')).brief(1)).toEqual(['ADDED cart'])
  })

  test('says 200 and then an ERROR event, as on an etcd that is too old', async () => {
    refusing('error-event')
    for (const query of [WATCH_LIST, 'allowWatchBookmarks=true', 'allowWatchBookmarks=true&resourceVersion=0']) {
      const events = await watch(query)
      expect(events.code).toBe(200)
      const { type, object } = await events.next()
      expect(type).toBe('ERROR')
      expect(object).toMatchObject({ code: 500, message: expect.stringContaining('RequestWatchProgress') })
      expect(await events.over()).toBe('end')
    }
    const events = await watch('allowWatchBookmarks=true&resourceVersion=2')
    server.bookmark()
    expect(await events.brief(1)).toEqual(['BOOKMARK 2'])
  })

  test('or never says that the picture is complete', async () => {
    refusing('never-ends')
    const events = await watch(WATCH_LIST)
    server.bookmark()
    server.store.put(service('later'))
    expect(await events.brief(2)).toEqual(['ADDED cart', 'ADDED later'])
  })
})

describe('a past that is forgotten', () => {
  test('makes old resourceVersions 410', async () => {
    putServices(server.store, 2)
    server.inject({ do: 'compact' })
    expect(await (await watch('resourceVersion=3')).brief(1)).toEqual(['ERROR 410'])
    const events = await watch('resourceVersion=4')
    server.store.put(service('later'))
    expect(await events.brief(1)).toEqual(['ADDED later'])
  })

  test('ends a watch that had not got all of it', async () => {
    const events = await watch()
    const undo = server.inject({ do: 'withhold', what: 'all' })
    server.store.put(service('lost'))
    server.inject({ do: 'compact' })
    undo()
    expect(await events.over()).toBe('end')
  })

  test('410 for the next page of a list', async () => {
    putServices(server.store, 4)
    server.inject({ do: 'expire-continue', times: 1 })
    const { body } = await ask(`${server.url}${LIST}?limit=2`)
    const next = `${server.url}${LIST}?limit=2&continue=${body.metadata.continue}`
    expect(await ask(next)).toMatchObject({ code: 410, body: { reason: 'Expired' } })
    expect((await ask(next)).code).toBe(200)
  })
})
