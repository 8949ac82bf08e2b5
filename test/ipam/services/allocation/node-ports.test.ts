import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { heldPorts, nodePortsOf, type ServiceSpec } from '#ipam/services/spec/service-spec.ts'
import { PaperServices } from './services.ts'

const web: ServiceSpec = { type: 'NodePort', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }
const dns: ServiceSpec = {
  type: 'NodePort',
  ports: [
    { name: 'tcp', port: 53, protocol: 'TCP' },
    { name: 'udp', port: 53, protocol: 'UDP' },
  ],
}
const local: ServiceSpec = { ...web, type: 'LoadBalancer', externalTrafficPolicy: 'Local' }

describe('a node port', () => {
  test('is drawn from the upper band; one that is asked for may be in the lower', () => {
    const services = new PaperServices()
    expect(nodePortsOf(services.put('a', web))).toEqual([30_086])
    const asked = { type: 'NodePort', ports: [{ port: 80, nodePort: 30_001 }] } as const
    expect(nodePortsOf(services.put('b', asked))).toEqual([30_001])
    expect(services.refusal('c', asked)).toBe(
      'spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated',
    )
    expect(services.refusal('c', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] })).toBe(
      'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    )
  })

  test('of TCP and UDP of one number is one, drawn or asked for at either', () => {
    const services = new PaperServices()
    expect(nodePortsOf(services.put('dns', dns))).toEqual([30_086, 30_086])
    const [tcp, udp] = dns.ports!
    const asked = { ...dns, ports: [tcp!, { ...udp!, nodePort: 30_053 }] }
    expect(nodePortsOf(services.put('other', asked))).toEqual([30_053, 30_053])
    expect(heldPorts(services.specs.get('other')!)).toEqual([30_053])
  })

  test('is kept by the name of its port; what is no longer there is free afterwards', () => {
    const services = new PaperServices()
    const both = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
    ]
    services.put('web', { type: 'NodePort', ports: both })
    const changed = [
      { name: 'b', port: 8081 },
      { name: 'c', port: 82 },
    ]
    expect(nodePortsOf(services.put('web', { type: 'NodePort', ports: changed }))).toEqual([30_087, 30_088])
    expect(nodePortsOf(services.put('next', web))).toEqual([30_086])
  })

  test('goes with the type, and a type that has none takes none', () => {
    const services = new PaperServices()
    const made = services.put('web', web)
    expect(nodePortsOf(services.put('web', { ...made, type: 'ClusterIP' }))).toEqual([])
    expect(services.refusal('web', { ports: [{ port: 80, nodePort: 30_001 }] })).toBe(
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    )
  })

  test('is not drawn for a load balancer that wants none', () => {
    const services = new PaperServices()
    const spec = { ...web, type: 'LoadBalancer', allocateLoadBalancerNodePorts: false } as const
    expect(nodePortsOf(services.put('lb', spec))).toEqual([])
    const asked = { ...spec, ports: [{ port: 80, nodePort: 30_001 }] }
    expect(nodePortsOf(services.put('lb', asked))).toEqual([30_001])
  })

  test('of a full range is an internal error, and nothing of that Service is held', () => {
    const services = new PaperServices({ nodePorts: { first: 30_000, last: 30_001 } })
    services.put('a', web)
    const three = { type: 'NodePort', ports: [{ port: 1 }, { port: 2 }] } as const
    expect(services.refusal('b', three)).toBe('internal: failed to allocate a nodePort: range is full')
    expect(nodePortsOf(services.put('b', web))).toEqual([30_001])
  })

  test('of a dry run is a number beyond the range', () => {
    expect(nodePortsOf(new PaperServices().put('a', web, 'dry'))).toEqual([32_768])
  })
})

describe('the port for health checks', () => {
  test('is drawn from the same range, stays, and goes when it is not needed', () => {
    const services = new PaperServices()
    const made = services.put('lb', local)
    expect(heldPorts(made)).toEqual([30_086, 30_087])
    expect(services.put('lb', local).healthCheckNodePort).toBe(30_087)
    expect(services.refusal('lb', { ...made, healthCheckNodePort: 30_200 })).toBe(
      'spec.healthCheckNodePort: Invalid value: 30200: field is immutable',
    )
    const cluster = services.put('lb', { ...made, externalTrafficPolicy: 'Cluster' })
    expect(heldPorts(cluster)).toEqual([30_086])
    expect(nodePortsOf(services.put('web', web))).toEqual([30_087])
  })

  test('that is asked for and taken is an internal error', () => {
    const services = new PaperServices()
    services.put('web', web)
    expect(services.refusal('lb', { ...local, healthCheckNodePort: 30_086 })).toBe(
      'internal: failed to allocate requested HealthCheck NodePort 30086: provided port is already allocated',
    )
  })
})

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const
const change = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  type: fc.constantFrom(...TYPES),
  policy: fc.constantFrom('Local', 'Cluster'),
  families: fc.constantFrom(undefined, 'SingleStack' as const, 'PreferDualStack' as const),
  ports: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
  isFresh: fc.boolean(),
})

test('whatever becomes of Services, no address and no port has two of them', () => {
  const small = { cidrs: ['10.96.0.0/29', 'fd00::/125'] as never, nodePorts: { first: 1, last: 12 } }
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), changes => {
      const services = new PaperServices(small)
      for (const { name, type, policy, families, ports, isFresh } of changes) {
        if (isFresh) services.specs.delete(name)
        const items = ports.map(port => ({ name: String(port), port }))
        const extra = type === 'LoadBalancer' ? { externalTrafficPolicy: policy } : {}
        const policyField = families === undefined || type === 'ExternalName' ? {} : { ipFamilyPolicy: families }
        try {
          services.put(name, { type, ports: items, ...extra, ...policyField })
        } catch (error) {
          expect((error as Error).message).toMatch(/range is full/)
        }
        const specs = [...services.specs.values()]
        const held = specs.flatMap(heldPorts)
        const addresses = specs.flatMap(({ clusterIPs = [] }) => clusterIPs)
        expect(new Set(held).size).toBe(held.length)
        expect(new Set(addresses).size).toBe(addresses.length)
      }
    }),
    { numRuns: 200 },
  )
})
