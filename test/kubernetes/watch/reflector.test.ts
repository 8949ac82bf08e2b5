import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { line, listEnd } from '../../faults/scripted.ts'
import { PaperApi, rawZone } from '../paper-api.ts'

let api: PaperApi

beforeEach(() => {
  api = new PaperApi()
})

afterEach(() => api.stop())

test('asks for a watch that ends after 300 to 600 seconds, of this node alone', async () => {
  await api.clock.advance(0)
  expect(api.asked[0]!.path).toBe(
    '/api/v1/nodes?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=450&fieldSelector=metadata.name%3Dn1',
  )
})

describe('how long it waits', () => {
  test('30 seconds for an answer', async () => {
    await api.clock.advance(29_999)
    expect(api.asked).toHaveLength(1)
    await api.clock.advance(7_501)
    expect(api.asked.length).toBeGreaterThan(1)
    expect(api.notices[0]).toEqual({ what: 'silent', resource: 'Node', reason: 'no answer for 30 s' })
  })

  test('30 seconds for more of a list, and then for pages', async () => {
    await api.clock.advance(0)
    api.asked[0]!.answer().write(line('ADDED', rawZone(7)))
    await api.clock.advance(37_501)
    expect(api.notices.map(({ what }) => what)).toEqual(['silent', 'fallback'])
    expect(api.asked[1]!.path).toBe('/api/v1/nodes?limit=500&fieldSelector=metadata.name%3Dn1')
    expect(api.asked[1]!.headers).toEqual({ 'accept-encoding': 'gzip' })
  })

  test('100 seconds for anything on a watch, bookmarks included', async () => {
    const watch = await api.synced()
    await api.clock.advance(95_000)
    watch.write(line('BOOKMARK', { metadata: { resourceVersion: '20' } }))
    await api.clock.advance(99_999)
    expect(api.asked).toHaveLength(1)
    await api.clock.advance(30_001)
    expect(api.versions).toEqual([null, '20'])
    expect(api.notices.at(-1)).toEqual({
      what: 'silent',
      resource: 'Node',
      reason: 'no event and no bookmark for 100 s',
    })
  })

  test('1.2, 2.4, 4.8 seconds after failures, with half a jitter', async () => {
    await api.clock.advance(0)
    const times: number[] = []
    for (let i = 0; i < 4; i++) {
      times.push(api.clock.now())
      api.asked.at(-1)!.fail(new Error('connect ECONNREFUSED 10.0.0.1:6443'))
      for (const before = api.asked.length; api.asked.length === before; ) await api.clock.advance(100)
    }
    expect(times.map(time => time - times[0]!)).toEqual([0, 1200, 3600, 8400])
    expect(api.notices).toEqual([
      { what: 'waiting', resource: 'Node', reason: 'connect ECONNREFUSED 10.0.0.1:6443', retryMs: 1200 },
    ])
  })

  test('as long as Retry-After says', async () => {
    await api.clock.advance(0)
    api.asked[0]!.answer(429, { 'retry-after': '17' }).end('slow down')
    await api.clock.advance(16_999)
    expect(api.asked).toHaveLength(1)
    await api.clock.advance(1)
    expect(api.asked).toHaveLength(2)
    expect(api.notices[0]).toMatchObject({ reason: 'the API server answered 429: slow down' })
  })
})

describe('what it delivers', () => {
  test('what comes twice is delivered once', async () => {
    const watch = await api.synced()
    watch.write(line('MODIFIED', rawZone(11)) + line('MODIFIED', rawZone(11)) + line('ADDED', rawZone(12)))
    await api.clock.advance(0)
    watch.end()
    await api.clock.advance(0)
    api.asked
      .at(-1)!
      .answer()
      .write(line('ADDED', rawZone(12)) + line('MODIFIED', rawZone(13)))
    await api.clock.advance(0)
    expect(api.zones).toEqual(['z7', 'synced', 'z11', 'z12', 'z13'])
    expect(api.versions).toEqual([null, '12'])
  })

  test('what goes, once', async () => {
    const watch = await api.synced()
    watch.write(line('DELETED', rawZone(11)) + line('DELETED', rawZone(11)) + line('ADDED', rawZone(12)))
    await api.clock.advance(0)
    expect(api.zones).toEqual(['z7', 'synced', 'gone', 'z12'])
  })

  test('a relist that finds nothing new delivers nothing, and does not say synced again', async () => {
    const watch = await api.synced()
    watch.write(line('ERROR', { code: 410, message: 'too old' }))
    await api.clock.advance(0)
    api.asked
      .at(-1)!
      .answer()
      .write(line('ADDED', rawZone(7)) + listEnd('90'))
    await api.clock.advance(0)
    expect(api.zones).toEqual(['z7', 'synced'])
    expect(api.stats.Node).toMatchObject({ lists: 2, gone: 1, objects: 1 })
  })

  test('half a list that broke off delivers nothing, and is forgotten', async () => {
    await api.clock.advance(0)
    const list = api.asked[0]!.answer()
    list.write(line('ADDED', rawZone(5)))
    await api.clock.advance(0)
    list.destroy(new Error('reset'))
    await api.clock.advance(2000)
    api.asked[1]!.answer().write(listEnd('10'))
    await api.clock.advance(0)
    expect(api.zones).toEqual(['synced'])
  })

  test('nothing after the stop, not even what has come already', async () => {
    const watch = await api.synced()
    watch.write(line('MODIFIED', rawZone(11)) + line('MODIFIED', rawZone(12)))
    await api.stop()
    expect(api.zones).toEqual(['z7', 'synced'])
  })

  test('nothing more after a stop in the middle of a line of events', async () => {
    const watch = await api.synced()
    api.apply = () => void api.stop()
    watch.write(line('MODIFIED', rawZone(11)) + line('MODIFIED', rawZone(12)))
    await api.clock.advance(0)
    await api.stop()
    expect(api.zones).toEqual(['z7', 'synced', 'z11'])
  })
})

describe('a list in pages that is none', () => {
  async function page(text: string): Promise<void> {
    await api.clock.advance(0)
    api.asked[0]!.answer(422).end()
    await api.clock.advance(0)
    api.asked[1]!.answer().end(text)
    await api.clock.advance(0)
  }

  test.each([
    ['<html>', 'a list that is not JSON: <html>'],
    ['{"metadata":{"resourceVersion":"7"}}', 'a list without items: {"metadata":{"resourceVersion":"7"}}'],
    ['{"items":[],"metadata":{}}', 'a list without a resourceVersion'],
  ])('%s', async (text, reason) => {
    await page(text)
    expect(api.notices.at(-1)).toEqual({ what: 'malformed', resource: 'Node', reason })
    expect(api.events).toEqual([])
  })

  test('zipped, and not', async () => {
    await api.clock.advance(0)
    api.asked[0]!.answer(422).end()
    await api.clock.advance(0)
    api.asked[1]!.answer(200, { 'content-encoding': 'gzip' }).end('no gzip at all')
    while (api.notices.length < 2) await api.clock.advance(0)
    expect(api.notices.at(-1)).toMatchObject({
      what: 'malformed',
      reason: expect.stringContaining('cannot be unpacked'),
    })
  })

  test('but null is how an empty list may be written', async () => {
    await page('{"items":null,"metadata":{"resourceVersion":"7"}}')
    expect(api.zones).toEqual(['synced'])
  })
})
