import { expect, test } from 'vitest'
import { ApiStore } from '#lab/api-server/store.ts'
import { ownClusterIP, publish } from '#lab/cluster/control-plane/own-service.ts'

const AT = { address: '192.0.2.1', port: 6443 }

test('the API server is a Service: the first address of the range, and the server as its endpoint', () => {
  const store = new ApiStore()
  publish(store, { clusterIPs: '10.200.0.0/16,fd10:96::/112' }, AT)
  const [service] = store.list('Service')
  expect(service).toMatchObject({ metadata: { namespace: 'default', name: 'kubernetes' } })
  expect(service!.spec).toMatchObject({ clusterIP: '10.200.0.1', ports: [{ port: 443, targetPort: 6443 }] })
  expect(store.list('EndpointSlice')[0]).toMatchObject({
    endpoints: [{ addresses: ['192.0.2.1'] }],
    ports: [{ port: 6443 }],
  })
  expect(store.list('IPAddress').map(({ metadata }) => metadata.name)).toEqual(['10.200.0.1'])
})

test('it is published again after a restart, without a second address', () => {
  const store = new ApiStore()
  for (let start = 0; start < 2; start++) publish(store, {}, AT)
  expect(store.list('Service')).toHaveLength(1)
  expect(store.list('IPAddress')).toHaveLength(1)
  expect(ownClusterIP({})).toBe('10.96.0.1')
})

test('a cluster of IPv6 alone has none, because the link of the lab has the server at an IPv4 address', () => {
  const store = new ApiStore()
  publish(store, { clusterIPs: 'fd10:96::/112' }, AT)
  expect(store.list('Service')).toEqual([])
})
