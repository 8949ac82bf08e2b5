import { afterEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import { openClient } from '#lab/client/http-client.ts'
import type { Pod, Service } from '#lab/client/objects.ts'
import { ApiRefused, isAlreadyThere, isConflict } from '#lab/client/refused.ts'
import { systemClock } from '#system/clock.ts'
import { PaperFiles, PaperPlugin } from '../../kubernetes/desk.ts'

// The lab's client against the lab's API server, over HTTP.

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function opened(): Promise<{ readonly server: ApiServer; readonly client: ClusterClient }> {
  const server = await startApiServer()
  const kernel = new PaperPlugin(async () => ({ code: 1, stdout: '', stderr: '' }))
  const access = { master: server.url, env: {}, files: new PaperFiles(), kernel, clock: systemClock }
  const client = await openClient(access, { limits: { backoffMs: 5, backoffMaxMs: 20 } })
  closing.push(
    () => server.close(),
    () => client.close(),
  )
  return { server, client }
}

function pod(name: string, labels: Readonly<Record<string, string>> = {}): Pod {
  const spec = { containers: [{ name: 'main', image: 'web' }] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name, labels }, spec }
}

describe('a write', () => {
  test('is answered with the object as it is stored, which a read returns as well', async () => {
    const { client } = await opened()
    const made = await client.create(pod('web-1', { app: 'web' }))
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect(await client.get('Pod', { namespace: 'default', name: 'web-1' })).toEqual(made)
    expect(await client.get('Pod', { namespace: 'default', name: 'web-2' })).toBeUndefined()
  })

  test('of a status leaves the rest alone, and a merge patch changes only what it names', async () => {
    const { client } = await opened()
    const made = await client.create(pod('web-1'))
    const ready = await client.replace<Pod>(
      { ...made, spec: { containers: [] }, status: { phase: 'Running' } },
      'status',
    )
    expect(ready.spec?.containers).toHaveLength(1)
    const key = { namespace: 'default', name: 'web-1' }
    const patched = await client.patch<Pod>('Pod', key, { metadata: { labels: { app: 'web' } } })
    expect(patched.status?.phase).toBe('Running')
    expect(patched.metadata.labels).toEqual({ app: 'web' })
  })

  test('that the API server refuses is an ApiRefused with its code, reason and message', async () => {
    const { client } = await opened()
    const made = await client.create(pod('web-1'))
    const again = await client.create(pod('web-1')).catch((error: unknown) => error)
    expect(again).toBeInstanceOf(ApiRefused)
    expect(isAlreadyThere(again)).toBe(true)
    expect(again).toMatchObject({ code: 409, reason: 'AlreadyExists', message: 'pods "web-1" already exists' })
    await client.patch('Pod', { namespace: 'default', name: 'web-1' }, { metadata: { labels: { app: 'web' } } })
    const stale = await client.replace(made).catch((error: unknown) => error)
    expect(isConflict(stale)).toBe(true)
  })

  test('that deletes is for one uid where one is given, and no error where nothing is left to delete', async () => {
    const { client } = await opened()
    const made = await client.create(pod('web-1'))
    const key = { namespace: 'default', name: 'web-1' }
    const other = await client.delete('Pod', key, { uid: 'another' }).catch((error: unknown) => error)
    expect(isConflict(other)).toBe(true)
    await client.delete('Pod', key, { uid: made.metadata.uid!, gracePeriodSeconds: 0 })
    await client.delete('Pod', key)
    expect(await client.list('Pod')).toEqual([])
  })
})

describe('a list', () => {
  test('is of the namespace and the labels that are asked for, and its items say what they are', async () => {
    const { client, server } = await opened()
    server.store.put({ kind: 'Namespace', metadata: { name: 'shop' } })
    await client.create(pod('web-1', { app: 'web' }))
    await client.create(pod('db-1', { app: 'db' }))
    await client.create({ ...pod('web-1', { app: 'web' }), metadata: { namespace: 'shop', name: 'web-1' } })
    const found = await client.list<Pod>('Pod', { namespace: 'default', labelSelector: 'app=web' })
    expect(found.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`)).toEqual([
      'v1 Pod web-1',
    ])
    expect(await client.list('Pod')).toHaveLength(3)
  })

  test('that does not fit into one answer comes whole', async () => {
    const { client, server } = await opened()
    for (let index = 0; index < 1_100; index++) server.store.put(pod(`web-${index}`))
    expect(await client.list('Pod')).toHaveLength(1_100)
  })

  test('of a kind that is not known says which are', async () => {
    const { client } = await opened()
    const error = await client.list('Gadget').catch((caught: Error) => caught.message)
    expect(error).toContain('no kind Gadget is known here: must be one of Deployment, ReplicaSet, Service,')
  })
})

test('objects of a kind that stands in no namespace have a path without one', async () => {
  const { client } = await opened()
  await client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } })
  expect(await client.get('Node', { name: 'node-1' })).toMatchObject({ metadata: { name: 'node-1' } })
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } }
  expect(await client.create<Service>(service as Service)).toMatchObject({ metadata: { namespace: 'default' } })
})
