import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startApiServer } from '#lab/api-server/server.ts'
import { openDatabase } from '#lab/api-server/storage/database.ts'
import { ApiStore } from '#lab/api-server/store.ts'
import { ask, OpenWatch, service } from '../api-client.ts'

let folder: string
let database: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-storage-'))
  database = join(folder, 'cluster.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a server with a database', () => {
  test('goes on with its objects and its resourceVersion when it starts again', async () => {
    const first = await startApiServer({ database })
    first.store.put(service('cart'))
    first.store.put(service('gone'))
    first.store.patch('Service', { namespace: 'shop', name: 'cart' }, { metadata: { labels: { tier: 'front' } } })
    first.store.remove('Service', 'shop', 'gone')
    const before = await ask(`${first.url}/api/v1/services`)
    await first.close()
    const second = await startApiServer({ database })
    const after = await ask(`${second.url}/api/v1/services`)
    expect(after.body).toEqual(before.body)
    expect(after.body).toMatchObject({ metadata: { resourceVersion: '5' }, items: [{ metadata: { name: 'cart' } }] })
    expect((await ask(`${second.url}/api/v1/namespaces`)).body.items).toHaveLength(4)
    await second.close()
  })

  test('lets watches go on where the last one ended, and sends those of before to a new list', async () => {
    const first = await startApiServer({ database })
    first.store.put(service('cart'))
    await first.close()
    const second = await startApiServer({ database })
    const watch = await OpenWatch.open(`${second.url}/api/v1/services?watch=true&resourceVersion=2`)
    second.store.put(service('other'))
    expect(await watch.brief(1)).toEqual(['ADDED other'])
    const late = await OpenWatch.open(`${second.url}/api/v1/services?watch=true&resourceVersion=1`)
    expect(await late.brief(1)).toEqual(['ERROR 410'])
    await second.close()
  })
})

const WRITER = `
import { openDatabase } from '#lab/api-server/storage/database.ts'
import { ApiStore } from '#lab/api-server/store.ts'
const store = new ApiStore({ storage: openDatabase(process.argv[1]) })
for (let i = 0; ; i++) {
  const { metadata } = store.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c-' + (i % 50), namespace: 'default' }, data: { i: String(i) } })
  console.log(metadata.resourceVersion + ' ' + metadata.name + ' ' + i)
}
`

test('a process that is killed in the middle of its writes has lost none that it answered', {
  timeout: 60_000,
}, async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, database], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const answered: string[] = []
  const lines = createInterface({ input: child.stdout })
  lines.on('line', line => {
    answered.push(line)
    if (answered.length === 300) child.kill('SIGKILL')
  })
  await Promise.all([once(child, 'exit'), once(lines, 'close')])
  const [revision = '', name = '', i = ''] = answered.at(-1)!.split(' ')
  const storage = openDatabase(database)
  const store = new ApiStore({ storage })
  expect(store.revision).toBeGreaterThanOrEqual(Number(revision))
  const found = store.list('ConfigMap').find(({ metadata }) => metadata.name === name) as unknown as {
    data: { i: string }
  }
  expect(Number(found.data.i)).toBeGreaterThanOrEqual(Number(i))
  storage.close()
})
