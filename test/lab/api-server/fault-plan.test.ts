import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { ask, OpenWatch, putServices, service } from './api-client.ts'

let server: ApiServer
const LIST = '/api/v1/services'

beforeEach(async () => {
  server = await startApiServer({ bookmarkMs: 0 })
  server.store.put(service('cart'))
})
afterEach(() => server.close())

function watch(query = 'resourceVersion=2&allowWatchBookmarks=true', resource = 'services'): Promise<OpenWatch> {
  return OpenWatch.open(`${server.url}/api/v1/${resource}?watch=true&${query}`)
}

interface Half {
  readonly response: IncomingMessage
  /** What has come so far. */
  readonly text: () => string
  /** `end`, or the code of an error; nothing while more may come. */
  readonly how: () => string | undefined
}

async function begun(path: string): Promise<Half> {
  const request = get(server.url + path, { agent: false })
  request.on('error', () => {}) // the response reports it, too
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  let how: string | undefined
  response.on('data', chunk => {
    text += chunk
  })
  response.on('end', () => (how ??= 'end'))
  response.on('error', error => (how ??= (error as NodeJS.ErrnoException).code))
  return { response, text: () => text, how: () => how }
}

/** What came of a request before it broke, and how it broke. */
async function broken(path: string): Promise<{ text: string; how: string | undefined }> {
  const { text, how } = await begun(path)
  await expect.poll(how).toBeDefined()
  return { text: text(), how: how() }
}

/** After this text nothing comes any more: what the server is asked later is answered, and this one is not. */
async function isSilentAfter(text: string, { response, ...half }: Half): Promise<void> {
  await expect.poll(half.text).toBe(text)
  for (let i = 0; i < 3; i++) await ask(`${server.url}/api/v1/nodes`)
  expect([half.text(), half.how()]).toEqual([text, undefined])
  response.destroy()
}

describe('an answer with a status', () => {
  test.each([
    [500, 'InternalError'],
    [429, 'TooManyRequests'],
    [403, 'Forbidden'],
    [401, 'Unauthorized'],
    [503, 'ServiceUnavailable'],
    [504, 'Timeout'],
    [410, 'Expired'],
  ])('%i comes as a Status, with Retry-After where wanted, so many times', async (code, reason) => {
    server.inject({ do: 'status', code, retryAfterSeconds: 7, times: 2 })
    for (const path of [LIST, `${LIST}?watch=true`]) {
      const answer = await ask(server.url + path)
      expect(answer).toMatchObject({ code, body: { kind: 'Status', reason, code }, headers: { 'retry-after': '7' } })
    }
    expect((await ask(server.url + LIST)).code).toBe(200)
  })

  test('keeps to its kind of request and its resource, lets some pass, and can be undone', async () => {
    const undo = server.inject({ do: 'status', code: 500, on: 'list', resource: 'services', after: 1 })
    const code = async (path: string) => (await ask(server.url + path)).code
    expect(await code('/api/v1/nodes')).toBe(200)
    expect(await code(LIST)).toBe(200)
    expect(await code(LIST)).toBe(500)
    expect(await code('/api/v1/nodes')).toBe(200)
    expect(await code('/api/v1/namespaces/shop/services/cart')).toBe(200)
    expect((await watch()).code).toBe(200)
    expect(await code(LIST)).toBe(500)
    undo()
    expect(await code(LIST)).toBe(200)
  })
})

describe('a stall', () => {
  test('before the headers: nothing comes at all', async () => {
    server.inject({ do: 'stall', at: 'headers', times: 1 })
    const request = get(server.url + LIST, { agent: false })
    let heard = 'silence'
    request
      .on('error', () => {})
      .on('response', () => {
        heard = 'response'
      })
    await expect.poll(() => server.requests.length).toBe(1)
    for (let i = 0; i < 3; i++) expect((await ask(server.url + LIST)).code).toBe(200)
    expect(heard).toBe('silence')
    request.destroy()
  })

  test('of a list: headers alone, or half of it', async () => {
    const whole = (await ask(server.url + LIST)).text.trimEnd()
    server.inject({ do: 'stall', at: 'body', resource: 'services', times: 1 })
    server.inject({ do: 'stall', at: 'half', resource: 'services', times: 1 })
    await isSilentAfter('', await begun(LIST))
    await isSilentAfter(whole.slice(0, whole.length / 2), await begun(LIST))
    expect((await ask(server.url + LIST)).text.trimEnd()).toBe(whole)
  })

  test('of a watch: headers, and silence ever after', async () => {
    server.inject({ do: 'stall', at: 'body', times: 1 })
    const short = 'allowWatchBookmarks=true&timeoutSeconds=0.01'
    const silent = await begun(`${LIST}?watch=true&${short}`)
    // Of one that began later the time is up.
    expect(await (await watch(short)).over()).toBe('end')
    server.bookmark()
    await isSilentAfter('', silent)
    expect(await (await watch('')).brief(1)).toEqual(['ADDED cart'])
  })
})

describe('a broken connection', () => {
  test('of a list: without an answer, with half of one and FIN, with half of one and RST', async () => {
    server.inject({ do: 'close', on: 'list', times: 1 })
    server.inject({ do: 'truncate', on: 'list', times: 1 })
    server.inject({ do: 'reset', on: 'list', times: 1 })
    await expect(ask(server.url + LIST)).rejects.toMatchObject({ code: 'ECONNRESET' })
    const truncated = await broken(LIST)
    expect(truncated.text).toMatch(/^\{"kind":"ServiceList"/)
    expect(truncated.how).toBe('ECONNRESET') // how node:http calls a body that ends too early
    expect((await broken(LIST)).how).toBe('ECONNRESET')
    expect((await ask(server.url + LIST)).code).toBe(200)
  })

  test('ends running watches of that resource alone', async () => {
    const services = await watch()
    const nodes = await watch('allowWatchBookmarks=true', 'nodes')
    server.inject({ do: 'close', on: 'watch', resource: 'services', times: 1 })
    expect(await services.over()).toBe('end')
    server.bookmark()
    expect(await nodes.brief(1)).toEqual(['BOOKMARK 2'])
    expect(nodes.ended).toBeUndefined()
    const again = await watch()
    server.bookmark()
    expect(await again.brief(1)).toEqual(['BOOKMARK 2'])
  })

  test.each(['reset', 'truncate'] as const)('%s: in the middle of a line, without the end of the body', async fault => {
    const events = await watch()
    server.inject({ do: fault, times: 1 })
    expect(await events.over()).toBe('ECONNRESET')
    if (fault === 'truncate') expect(events.partial).toMatch(/^\{"type":"BOOKMARK"/)
  })

  test('after so many events', async () => {
    server.inject({ do: 'close', on: 'watch', after: 2, times: 1 })
    const events = await watch('')
    putServices(server.store, 3)
    expect(await events.brief(2)).toEqual(['ADDED cart', 'ADDED s-00000'])
    expect(await events.over()).toBe('end')
  })
})

describe('an ERROR event', () => {
  test('410, and the end', async () => {
    const events = await watch()
    server.inject({ do: 'error-event', code: 410, stream: 'closes', times: 1 })
    expect(await events.next()).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
    expect(await events.over()).toBe('end')
  })

  test.each([410, 500])('%i, and a stream that stays open and says nothing more', async code => {
    const events = await watch()
    server.inject({ do: 'error-event', code, stream: 'stays-open', times: 1 })
    expect(await events.next()).toMatchObject({ type: 'ERROR', object: { code } })
    server.store.put(service('later'))
    server.bookmark()
    await ask(server.url + LIST)
    expect(events.ended).toBeUndefined()
    events.close()
  })
})

describe('a line that is wrong', () => {
  test('comes in the place of one event', async () => {
    const events = await watch()
    server.inject({ do: 'garble', times: 1 })
    server.inject({ do: 'mistype', times: 1 })
    server.inject({ do: 'drop', times: 1 })
    putServices(server.store, 4)
    const garbled = await events.line()
    expect(() => JSON.parse(garbled!)).toThrow()
    expect(garbled).toMatch(/^\{"type":"ADDED"/)
    expect(await events.brief(3)).toEqual(['RENAMED s-00001', 'BOOKMARK 5', 'ADDED s-00003'])
  })
})

describe('what is withheld', () => {
  test('events come afterwards, and bookmarks do not pass over them', async () => {
    const events = await watch()
    const undo = server.inject({ do: 'withhold', what: 'events' })
    server.store.put(service('held'))
    server.bookmark()
    expect(await events.brief(1)).toEqual(['BOOKMARK 2'])
    undo()
    expect(await events.brief(1)).toEqual(['ADDED held'])
  })

  test('bookmarks, or everything', async () => {
    const events = await watch()
    const undoBookmarks = server.inject({ do: 'withhold', what: 'bookmarks' })
    server.bookmark()
    server.store.put(service('sent'))
    expect(await events.brief(1)).toEqual(['ADDED sent'])
    undoBookmarks()
    const undo = server.inject({ do: 'withhold', what: 'all' })
    server.store.put(service('held'))
    server.bookmark()
    undo()
    server.bookmark()
    expect(await events.brief(2)).toEqual(['ADDED held', 'BOOKMARK 4'])
  })
})
