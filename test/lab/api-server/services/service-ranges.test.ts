import { afterEach, describe, expect, test } from 'vitest'
import { type ApiServer, type ApiServerOptions, startApiServer } from '#lab/api-server/server.ts'
import { adoptAddresses } from '#lab/api-server/services/ip-addresses.ts'
import { ask, putNamespace, service } from '../api-client.ts'

let server: ApiServer
afterEach(() => server?.close())

async function start(options: ApiServerOptions = {}): Promise<void> {
  server = await startApiServer(options)
  putNamespace(server.store, 'shop')
}

const SERVICES = '/api/v1/namespaces/shop/services'
const NETWORKING = '/apis/networking.k8s.io/v1'
const send = (method: string, path: string, body?: unknown) => ask(server.url + path, { method, body })
const create = (name: string, spec: object = {}, query = '') =>
  send('POST', SERVICES + query, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } })
const addresses = () => server.store.list('IPAddress').map(({ metadata }) => metadata.name)
const ranges = () => server.store.list('ServiceCIDR').map(({ metadata }) => metadata.name)

describe('the ranges of the flags', () => {
  test('are the ServiceCIDR kubernetes, which is ready', async () => {
    await start({ services: { clusterIPs: '10.0.0.0/24,fd00::/112', nodePorts: '40000-40099' } })
    const { body } = await ask(`${server.url}${NETWORKING}/servicecidrs/kubernetes`)
    expect(body).toMatchObject({
      spec: { cidrs: ['10.0.0.0/24', 'fd00::/112'] },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    })
    const made = await create('web', { type: 'NodePort', ipFamilyPolicy: 'PreferDualStack' })
    expect(made.body.spec).toMatchObject({ clusterIPs: ['10.0.0.17', 'fd00::101'], ports: [{ nodePort: 40_016 }] })
  })

  test.each([
    [{ clusterIPs: '10.0.0.0' }, '--service-cluster-ip-range: "10.0.0.0" is no range'],
    [{ clusterIPs: '10.0.0.0/24,10.1.0.0/24' }, 'two ranges of one family'],
    [{ clusterIPs: 'fd00::/48' }, 'fd00::/48 is wider than /64'],
    [{ nodePorts: 'many' }, '--service-node-port-range: "many" is no range'],
  ])('%o: %s', async (services, why) => {
    await expect(startApiServer({ services })).rejects.toThrow(why)
  })

  test('are searched from a place that random numbers say', async () => {
    await start({ random: () => 0.5 })
    expect((await create('web')).body.spec.clusterIP).toBe('10.96.128.128')
  })
})

describe('an IPAddress', () => {
  test('is there before its Service and as long, and says whose it is', async () => {
    await start()
    const made = await create('web')
    const [address] = server.store.list('IPAddress')
    expect(address).toMatchObject({
      metadata: {
        name: '10.96.1.1',
        labels: {
          'ipaddress.kubernetes.io/ip-family': 'IPv4',
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
      },
      spec: { parentRef: { group: '', resource: 'services', namespace: 'shop', name: 'web' } },
    })
    expect(Number(address!.metadata.resourceVersion)).toBeLessThan(Number(made.body.metadata.resourceVersion))
    await send('PUT', `${SERVICES}/web`, { metadata: { name: 'web' }, spec: { ports: [{ port: 81 }] } })
    expect(addresses()).toEqual(['10.96.1.1'])
    await send('DELETE', `${SERVICES}/web`)
    expect(addresses()).toEqual([])
  })

  test.each([
    ['a collection', () => send('DELETE', SERVICES)],
    ['its namespace', () => send('DELETE', '/api/v1/namespaces/shop')],
    [
      'a change to ExternalName',
      () =>
        send('PUT', `${SERVICES}/web`, {
          metadata: { name: 'web' },
          spec: { type: 'ExternalName', externalName: 'x' },
        }),
    ],
  ])('goes with %s', async (_, end) => {
    await start()
    await create('web')
    expect((await end()).code).toBe(200)
    expect(addresses()).toEqual([])
  })

  test('locks its address, also one that a client made', async () => {
    await start()
    const spec = { parentRef: { resource: 'services', namespace: 'shop', name: 'other' } }
    const made = await send('POST', `${NETWORKING}/ipaddresses`, { metadata: { name: '10.96.1.1' }, spec })
    expect(made.code).toBe(201)
    expect((await create('web')).body.spec.clusterIP).toBe('10.96.1.2')
    expect((await create('again', { clusterIP: '10.96.1.1' })).body.message).toBe(
      'Service "again" is invalid: spec.clusterIPs: Invalid value: ["10.96.1.1"]: failed to allocate IP 10.96.1.1: provided IP is already allocated',
    )
  })

  test.each([
    ['no address', { metadata: { name: 'ten' }, spec: { parentRef: { resource: 'services', name: 'x' } } }],
    ['another spelling', { metadata: { name: 'fd00::0' }, spec: { parentRef: { resource: 'services', name: 'x' } } }],
    ['no owner', { metadata: { name: '10.96.1.1' } }],
  ])('of %s is refused', async (_, body) => {
    await start()
    expect((await send('POST', `${NETWORKING}/ipaddresses`, body)).code).toBe(422)
  })

  test('is made for Services that were put into the store', async () => {
    await start()
    server.store.put(service('cart', { clusterIP: '10.96.0.10' }))
    server.store.put(service('headless', { clusterIP: 'None' }))
    expect((await create('web', { clusterIP: '10.96.0.10' })).code).toBe(422)
    adoptAddresses(server.store)
    expect(addresses()).toEqual(['10.96.0.10'])
  })
})

describe('a refusal', () => {
  test('leaves nothing behind', async () => {
    await start({ services: { nodePorts: '30000-30000' } })
    await create('first', { type: 'NodePort' })
    const { revision } = server.store
    const refused = await create('second', { type: 'NodePort' })
    expect(refused).toMatchObject({
      code: 500,
      body: {
        reason: 'InternalError',
        message: 'Internal error occurred: failed to allocate a nodePort: range is full',
        details: { causes: [{ message: 'failed to allocate a nodePort: range is full' }] },
      },
    })
    expect([addresses(), server.store.revision]).toEqual([['10.96.1.1'], revision])
  })

  test('names the field of a node port', async () => {
    await start()
    await create('first', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] })
    const refused = await create('second', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] })
    const message = 'Invalid value: 30080: provided port is already allocated'
    expect(refused).toMatchObject({
      code: 422,
      body: { details: { causes: [{ reason: 'FieldValueInvalid', field: 'spec.ports[0].nodePort', message }] } },
    })
  })

  test('is none for a dry run, which gives nothing away', async () => {
    await start()
    const { revision } = server.store
    const tried = await create('web', { type: 'NodePort' }, '?dryRun=All')
    expect(tried.body.spec).toMatchObject({ clusterIP: '10.96.0.0', ports: [{ nodePort: 32_768 }] })
    expect([addresses(), server.store.revision]).toEqual([[], revision])
  })
})

describe('a ServiceCIDR', () => {
  const more = (cidr = '10.112.0.0/16') =>
    send('POST', `${NETWORKING}/servicecidrs`, { metadata: { name: 'more' }, spec: { cidrs: [cidr] } })

  test('that is added is drawn from, too', async () => {
    await start({ services: { clusterIPs: '10.96.0.0/30' } })
    await create('a')
    await create('b')
    expect(await create('c')).toMatchObject({ code: 500, body: { reason: 'InternalError' } })
    await more()
    expect((await create('c')).body.spec.clusterIP).toBe('10.112.1.1')
  })

  test('stays while a Service has an address of it, gives none meanwhile, and goes with the last', async () => {
    await start()
    await more()
    await create('web', { clusterIP: '10.112.0.7' })
    const { body } = await send('DELETE', `${NETWORKING}/servicecidrs/more`)
    expect(body).toMatchObject({
      metadata: { deletionTimestamp: expect.any(String) },
      status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Terminating' }] },
    })
    expect((await create('late', { clusterIP: '10.112.0.8' })).code).toBe(422)
    expect(ranges()).toEqual(['kubernetes', 'more'])
    await send('DELETE', `${SERVICES}/web`)
    expect(ranges()).toEqual(['kubernetes'])
  })

  test('goes at once where another has its addresses', async () => {
    await start()
    await more('10.96.1.0/24')
    await create('web', { clusterIP: '10.96.1.7' })
    await send('DELETE', `${NETWORKING}/servicecidrs/more`)
    expect(ranges()).toEqual(['kubernetes'])
  })

  test('is checked, and stays as it is, but for a second family', async () => {
    await start()
    expect((await more('10.112.0.1/16')).code).toBe(422)
    await more()
    const put = (...cidrs: string[]) =>
      send('PUT', `${NETWORKING}/servicecidrs/more`, { metadata: { name: 'more' }, spec: { cidrs } })
    expect((await put('10.113.0.0/16')).code).toBe(422)
    expect((await put('10.112.0.0/16', 'fd00::/112')).code).toBe(200)
  })
})
