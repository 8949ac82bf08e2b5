import { describe, expect, test } from 'vitest'
import {
  addressesOf,
  hasHealthCheckPort,
  heldPorts,
  type ServiceSpec,
  type ServiceType,
  withOneSpelling,
} from '#ipam/services/spec/service-spec.ts'

describe('the addresses that a Service holds', () => {
  test.each<[ServiceSpec, readonly string[]]>([
    [{}, []],
    [{ clusterIP: '', clusterIPs: [] }, []],
    [{ clusterIP: 'None', clusterIPs: ['None'] }, []],
    // As it was stored before there were lists.
    [{ clusterIP: '10.96.0.7' }, ['10.96.0.7']],
    [{ clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00::7'] }, ['10.96.0.7', 'fd00::7']],
    [{ type: 'ExternalName', clusterIP: '10.96.0.7' }, []],
  ])('%j: %j', (spec, addresses) => {
    expect(addressesOf(spec)).toEqual(addresses)
  })
})

test('the ports that a Service holds are each there once, also of a type that should have none', () => {
  const ports = [
    { port: 53, nodePort: 30_053 },
    { port: 53, nodePort: 30_053 },
    { port: 80, nodePort: 0 },
    { port: 81 },
  ]
  expect(heldPorts({ type: 'NodePort', ports, healthCheckNodePort: 30_100 })).toEqual([30_053, 30_100])
  expect(heldPorts({ type: 'ClusterIP', ports, healthCheckNodePort: 30_053 })).toEqual([30_053])
  expect(heldPorts({})).toEqual([])
})

test.each<[ServiceType, string, boolean]>([
  ['LoadBalancer', 'Local', true],
  ['LoadBalancer', 'Cluster', false],
  ['NodePort', 'Local', false],
])('a port for health checks: %s with %s: %s', (type, externalTrafficPolicy, expected) => {
  expect(hasHealthCheckPort({ type, externalTrafficPolicy })).toBe(expected)
})

test('an address has one spelling; what is none, and what is not there, stays', () => {
  expect(
    withOneSpelling({ clusterIP: 'FD00:0::7', clusterIPs: ['FD00:0::7', '::ffff:10.96.0.7', 'None', 'x'] }),
  ).toEqual({
    clusterIP: 'fd00::7',
    clusterIPs: ['fd00::7', '10.96.0.7', 'None', 'x'],
  })
  expect(withOneSpelling({ type: 'NodePort' })).toEqual({ type: 'NodePort' })
})
