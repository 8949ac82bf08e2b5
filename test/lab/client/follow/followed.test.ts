import { afterEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import { openClient } from '#lab/client/http-client.ts'
import type { Pod } from '#lab/client/objects.ts'
import { systemClock } from '#system/clock.ts'
import { PaperFiles, PaperPlugin } from '../../../kubernetes/desk.ts'

// What is followed is in the end as the API server has it, whatever happens on the way.

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

interface Opened {
  readonly server: ApiServer
  readonly client: ClusterClient
  readonly trouble: string[]
}

/** `silenceMs`: how long a watch may be silent, where that is what goes wrong. */
async function opened({ silenceMs = 60_000 } = {}): Promise<Opened> {
  const server = await startApiServer()
  const trouble: string[] = []
  const kernel = new PaperPlugin(async () => ({ code: 1, stdout: '', stderr: '' }))
  const access = { master: server.url, env: {}, files: new PaperFiles(), kernel, clock: systemClock }
  const limits = { backoffMs: 2, backoffMaxMs: 10, silenceMs }
  const client = await openClient(access, { limits, onTrouble: line => trouble.push(line) })
  closing.push(
    () => server.close(),
    () => client.close(),
  )
  return { server, client, trouble }
}

function pod(name: string, labels: Readonly<Record<string, string>> = {}): Pod {
  const spec = { containers: [{ name: 'main', image: 'web' }] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name, labels }, spec }
}

/** What a follower was called with, as words, and what it believes there is. */
function followed(client: ClusterClient, selection = {}) {
  const calls: string[] = []
  const believed = new Map<string, string>()
  const follow = client.follow<Pod>('Pod', selection, {
    changed: ({ metadata }, before) => {
      calls.push(`${before === undefined ? 'new' : 'changed'} ${metadata.name}`)
      believed.set(metadata.name!, metadata.resourceVersion!)
    },
    gone: ({ metadata }) => {
      calls.push(`gone ${metadata.name}`)
      believed.delete(metadata.name!)
    },
    synced: () => calls.push('synced'),
  })
  return { calls, believed, follow }
}

function stored(server: ApiServer): ReadonlyMap<string, string> {
  return new Map(server.store.list('Pod').map(({ metadata }) => [metadata.name!, metadata.resourceVersion!]))
}

describe('a follower', () => {
  test('is shown what is there, then that this was all, and then each change with how it was before', async () => {
    const { server, client } = await opened()
    server.store.put(pod('web-1'))
    const { calls, follow } = followed(client)
    await follow.synced
    expect(calls).toEqual(['new web-1', 'synced'])
    server.store.put(pod('web-2'))
    server.store.patch('Pod', { namespace: 'default', name: 'web-1' }, { metadata: { labels: { app: 'web' } } })
    server.store.remove('Pod', 'default', 'web-2')
    await expect.poll(() => calls.slice(2)).toEqual(['new web-2', 'changed web-1', 'gone web-2'])
    expect([...follow.items().keys()]).toEqual(['default/web-1'])
  })

  test('that comes later is shown the same, from the watch that is there already', async () => {
    const { server, client } = await opened()
    server.store.put(pod('web-1'))
    const first = followed(client)
    await first.follow.synced
    const second = followed(client)
    await second.follow.synced
    await expect.poll(() => second.calls).toEqual(['new web-1', 'synced'])
    const asked = () => server.requests.filter(({ path }) => path === '/api/v1/pods')
    await expect.poll(() => asked().map(({ query }) => query.watch)).toEqual([undefined, 'true'])
    first.follow.close()
    server.store.put(pod('web-2'))
    await expect.poll(() => second.calls).toContain('new web-2')
    expect(first.calls).not.toContain('new web-2')
  })

  test('sees only what its selection takes: an object that leaves it is gone', async () => {
    const { server, client } = await opened()
    server.store.put(pod('web-1', { app: 'web' }))
    server.store.put(pod('db-1', { app: 'db' }))
    const { calls, follow } = followed(client, { labelSelector: 'app=web' })
    await follow.synced
    server.store.patch('Pod', { namespace: 'default', name: 'web-1' }, { metadata: { labels: { app: 'old' } } })
    await expect.poll(() => calls).toEqual(['new web-1', 'synced', 'gone web-1'])
  })

  test('sees the end of an object before another of the same name begins, though both were missed', async () => {
    const { server, client } = await opened()
    server.store.put(pod('web-1'))
    const { calls, follow } = followed(client)
    await follow.synced
    const undo = server.inject({ do: 'status', code: 503, on: 'watch' })
    server.dropConnections()
    server.store.remove('Pod', 'default', 'web-1')
    server.store.put(pod('web-1'))
    server.inject({ do: 'compact' })
    undo()
    await expect.poll(() => calls).toEqual(['new web-1', 'synced', 'gone web-1', 'new web-1'])
  })

  test('of a kind that the API server does not have sees nothing, and waits for nothing', async () => {
    const { server, client } = await opened()
    server.inject({ do: 'status', code: 404, resource: 'secrets' })
    const calls: string[] = []
    const follow = client.follow('Secret', {}, { synced: () => calls.push('synced') })
    await follow.synced
    expect(calls).toEqual(['synced'])
  })

  test('that is closed before everything was there is not left waiting', async () => {
    const { server, client } = await opened()
    server.inject({ do: 'stall', at: 'headers', on: 'list' })
    const { follow } = followed(client)
    const synced = follow.synced.catch((error: Error) => error.message)
    await client.close()
    expect(await synced).toBe('closed before everything was there')
  })
})

describe('what was believed comes true again after', () => {
  const FAULTS = {
    'a watch that ends in good order': { do: 'close', on: 'watch', times: 1 },
    'a connection that is reset in the middle of a line': { do: 'reset', on: 'watch', times: 1 },
    'a line that is cut off': { do: 'truncate', on: 'watch', times: 1 },
    'a line that is no JSON': { do: 'garble', on: 'watch', times: 1 },
    'an event of an unknown type': { do: 'mistype', on: 'watch', times: 1 },
    'a watch on which nothing comes any more': { do: 'stall', at: 'body', on: 'watch', times: 1 },
    'an expired version': { do: 'error-event', code: 410, stream: 'stays-open', on: 'watch', times: 1 },
    'an API server that refuses for a while': { do: 'status', code: 500, on: 'watch', times: 3 },
    'one that asks for patience': { do: 'status', code: 429, retryAfterSeconds: 0, on: 'watch', times: 2 },
  } as const

  test.each(Object.entries(FAULTS))('%s', async (_, fault) => {
    const { server, client } = await opened(fault.do === 'stall' ? { silenceMs: 200 } : {})
    server.store.put(pod('web-1'))
    server.store.put(pod('web-2'))
    const { believed, follow } = followed(client)
    await follow.synced
    server.inject(fault)
    server.dropConnections()
    server.store.remove('Pod', 'default', 'web-1')
    server.store.put(pod('web-3'))
    server.store.patch('Pod', { namespace: 'default', name: 'web-2' }, { metadata: { labels: { app: 'web' } } })
    await expect.poll(() => believed, { timeout: 10_000 }).toEqual(stored(server))
    server.store.put(pod('web-4'))
    await expect.poll(() => believed, { timeout: 10_000 }).toEqual(stored(server))
  })
})

test('a watch that always fails is asked for ever more seldom, with one line of why', async () => {
  const { server, client, trouble } = await opened()
  const { follow } = followed(client)
  await follow.synced
  server.inject({ do: 'status', code: 503, message: 'etcd is away', on: 'watch' })
  server.dropConnections()
  await expect.poll(() => trouble.filter(line => line.includes('etcd is away')).length).toBeGreaterThan(3)
  const waits = trouble.map(line => Number(/again in (\d+) ms/.exec(line)?.[1]))
  expect(trouble.at(-1)).toMatch(
    /^The watch of pods failed, again in \d+ ms: the API server answered 503: etcd is away$/,
  )
  expect(waits.at(-1)!).toBeGreaterThan(waits[0]!)
})
