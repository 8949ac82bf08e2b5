import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { ask, putServices, service } from '../../api-client.ts'

let server: ApiServer

async function names(query: string, path = '/api/v1/services'): Promise<string[]> {
  const { body } = await ask(`${server.url}${path}?${query}`)
  return body.items.map((item: { metadata: { name: string } }) => item.metadata.name)
}

describe('selectors', () => {
  beforeAll(async () => {
    server = await startApiServer()
    server.store.put(service('plain'))
    server.store.put(service('headless', { clusterIP: 'None' }, { 'service.kubernetes.io/headless': '' }))
    server.store.put(service('web', { type: 'NodePort' }, { app: 'web', tier: 'front' }))
    server.store.put(service('db', {}, { app: 'db' }))
    const bank = service('bank')
    server.store.put({ ...bank, metadata: { ...bank.metadata, namespace: 'bank' } })
  })
  afterAll(() => server.close())

  test.each([
    ['labelSelector=app', ['db', 'web']],
    ['labelSelector=!app', ['bank', 'headless', 'plain']],
    ['labelSelector=!service.kubernetes.io/headless,!app', ['bank', 'plain']],
    ['labelSelector=app=web', ['web']],
    ['labelSelector=app==web', ['web']],
    ['labelSelector=app!=web', ['bank', 'db', 'headless', 'plain']],
    ['labelSelector=app in (web, db)', ['db', 'web']],
    ['labelSelector=app in (web),tier=front', ['web']],
    ['labelSelector=app notin (web)', ['bank', 'db', 'headless', 'plain']],
    ['fieldSelector=spec.clusterIP!=None', ['bank', 'db', 'plain', 'web']],
    ['fieldSelector=spec.clusterIP=None', ['headless']],
    ['fieldSelector=metadata.name=db', ['db']],
    ['fieldSelector=metadata.namespace=bank', ['bank']],
    ['fieldSelector=spec.type=NodePort&labelSelector=app', ['web']],
  ])('%s', async (query, expected) => {
    expect((await names(query)).sort()).toEqual(expected)
  })

  test('a namespace is a selection, too', async () => {
    expect(await names('', '/api/v1/namespaces/bank/services')).toEqual(['bank'])
  })

  test.each(['labelSelector=a b c', 'labelSelector=app in web', 'fieldSelector=spec.ports=80', 'fieldSelector=x'])(
    '%s is refused',
    async query => {
      expect(await ask(`${server.url}/api/v1/services?${query}`)).toMatchObject({ code: 400, body: { code: 400 } })
    },
  )
})

describe('lists', () => {
  beforeAll(async () => {
    server = await startApiServer()
    putServices(server.store, 10)
  })
  afterAll(() => server.close())
  const page = (query: string) => ask(`${server.url}/api/v1/services?${query}`)

  test('carry the kind of the list and a resourceVersion; items carry no kind', async () => {
    const { body } = await page('')
    expect(body).toMatchObject({ kind: 'ServiceList', apiVersion: 'v1', metadata: { resourceVersion: '11' } })
    expect(body.items).toHaveLength(10)
    expect(body.items[0]).not.toHaveProperty('kind')
    expect(body.items[0]).not.toHaveProperty('apiVersion')
  })

  test('come in pages that show one moment, whatever happens meanwhile', async () => {
    const before = (await page('')).body
    const first = (await page('limit=4')).body
    expect(first.metadata).toMatchObject({ resourceVersion: before.metadata.resourceVersion, remainingItemCount: 6 })
    server.store.remove('Service', 'shop', 's-00005')
    server.store.put(service('s-00004a'))
    server.store.patch('Service', { namespace: 'shop', name: 's-00009' }, { spec: { clusterIP: '10.96.9.9' } })
    const second = (await page(`limit=4&continue=${first.metadata.continue}`)).body
    const third = (await page(`limit=4&continue=${second.metadata.continue}`)).body
    expect([...first.items, ...second.items, ...third.items]).toEqual(before.items)
    expect(third.metadata).toEqual({ resourceVersion: before.metadata.resourceVersion })
  })

  test('a continue token that is too old is 410, one that is none is 400', async () => {
    const first = (await page('limit=4')).body
    server.store.put(service('later'))
    server.store.compact()
    const late = await page(`limit=4&continue=${first.metadata.continue}`)
    expect(late).toMatchObject({ code: 410, body: { reason: 'Expired' } })
    expect((await page('continue=nonsense')).code).toBe(400)
  })

  test('resourceVersion=0 ignores the limit; one from the future is 504 and comes with Retry-After', async () => {
    expect((await page('limit=2&resourceVersion=0')).body.items.length).toBeGreaterThan(2)
    const future = await page('resourceVersion=100000')
    expect(future.code).toBe(504)
    expect(future.headers['retry-after']).toBe('1')
  })
})
