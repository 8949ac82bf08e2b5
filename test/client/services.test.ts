import { CoreV1Api, NetworkingV1Api, type V1Service, type V1ServiceSpec } from '@kubernetes/client-node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { putNamespace } from '../lab/api-server/api-client.ts'
import { configFor, refusal } from './client.ts'

// What Services draw from the ranges of the API server, as a client of Kubernetes sees it.

let server: ApiServer
let core: CoreV1Api
let networking: NetworkingV1Api

beforeEach(async () => {
  server = await startApiServer({ services: { clusterIPs: '10.96.0.0/16,fd00:96::/112' } })
  putNamespace(server.store, 'shop')
  core = configFor(server).makeApiClient(CoreV1Api)
  networking = configFor(server).makeApiClient(NetworkingV1Api)
})
afterEach(() => server.close())

function create(name: string, spec: V1ServiceSpec): Promise<V1Service> {
  const body = { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } }
  return core.createNamespacedService({ namespace: 'shop', body })
}

test('an address of each family, listed as IPAddresses, until the Service goes', async () => {
  const made = await create('cart', { ipFamilyPolicy: 'RequireDualStack' })
  expect(made.spec!.clusterIPs).toEqual(['10.96.1.1', 'fd00:96::101'])
  const { items } = await networking.listIPAddress()
  expect(items.map(({ metadata, spec }) => [metadata!.name, spec!.parentRef!.name])).toEqual([
    ['10.96.1.1', 'cart'],
    ['fd00:96::101', 'cart'],
  ])
  const labelSelector = 'ipaddress.kubernetes.io/ip-family=IPv6'
  expect((await networking.listIPAddress({ labelSelector })).items).toHaveLength(1)
  expect((await networking.readIPAddress({ name: 'fd00:96::101' })).spec!.parentRef!.namespace).toBe('shop')
  await core.deleteNamespacedService({ name: 'cart', namespace: 'shop' })
  expect((await networking.listIPAddress()).items).toEqual([])
})

test('the range of the flags is a ServiceCIDR', async () => {
  const { spec, status } = await networking.readServiceCIDR({ name: 'kubernetes' })
  expect(spec!.cidrs).toEqual(['10.96.0.0/16', 'fd00:96::/112'])
  expect(status!.conditions!.map(({ type, status }) => `${type} ${status}`)).toEqual(['Ready True'])
})

test('what is taken or outside is Invalid, and the Status names the field', async () => {
  await create('dns', { clusterIP: '10.96.0.10', type: 'NodePort', ports: [{ port: 53, nodePort: 30_053 }] })
  const taken = await refusal(create('again', { clusterIP: '10.96.0.10' }))
  expect(taken).toMatchObject({ code: 422, reason: 'Invalid' })
  expect(taken.details!.causes![0]).toEqual({
    reason: 'FieldValueInvalid',
    field: 'spec.clusterIPs',
    message: 'Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
  })
  const port = (nodePort: number) => refusal(create('web', { type: 'NodePort', ports: [{ port: 80, nodePort }] }))
  expect((await port(30_053)).message).toContain('provided port is already allocated')
  expect((await port(80)).message).toContain(
    'provided port is not in the valid range. The range of valid ports is 30000-32767',
  )
})

test('a Service that is read, changed and replaced keeps what it has', async () => {
  const made = await create('lb', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' })
  expect(made.spec).toMatchObject({ healthCheckNodePort: 30_087, allocateLoadBalancerNodePorts: true })
  const body = { ...made, metadata: { ...made.metadata, labels: { a: 'b' } } }
  const replaced = await core.replaceNamespacedService({ name: 'lb', namespace: 'shop', body })
  expect(replaced.spec).toEqual(made.spec)
  const plain = { ...replaced, spec: { ports: [{ port: 80, protocol: 'TCP' }] } }
  const { spec } = await core.replaceNamespacedService({ name: 'lb', namespace: 'shop', body: { ...plain } })
  expect([spec!.type, spec!.clusterIP, spec!.ports![0]!.nodePort]).toEqual(['ClusterIP', '10.96.1.1', undefined])
})
