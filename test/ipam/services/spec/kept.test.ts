import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AllocationRefused } from '#ipam/services/allocation/refused.ts'
import { kept, withListedIPs } from '#ipam/services/spec/kept.ts'
import { nodePortsOf, type ServiceSpec } from '#ipam/services/spec/service-spec.ts'
import { DUAL, PaperServices } from '../allocation/services.ts'

const before: ServiceSpec = {
  ...{ type: 'LoadBalancer', clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00:96::7'] },
  ...{ ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' },
  ...{ externalTrafficPolicy: 'Local', healthCheckNodePort: 30_100, allocateLoadBalancerNodePorts: true },
  ports: [
    { name: 'http', port: 80, nodePort: 30_080 },
    { name: 'https', port: 443, nodePort: 30_443 },
  ],
}
const bare: ServiceSpec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80 }] }

describe('a Service that is sent again', () => {
  test('without what was allocated for it keeps all of that', () => {
    expect(kept(bare, before)).toMatchObject({
      ...{ clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00:96::7'], healthCheckNodePort: 30_100 },
      ports: [{ name: 'http', port: 80, nodePort: 30_080 }],
    })
  })

  test('keeps a node port by the name of its port, never one that another port of it asks for now', () => {
    const swapped = [
      { name: 'http', port: 8080 },
      { name: 'admin', port: 9000, nodePort: 30_080 },
      { name: 'https', port: 443, nodePort: 0 },
    ]
    expect(kept({ ...bare, ports: swapped }, before).ports).toEqual([
      swapped[0],
      swapped[1],
      { ...swapped[2], nodePort: 30_443 },
    ])
  })

  test.each<[string, ServiceSpec, readonly string[] | undefined]>([
    ['changes the address alone', { ...before, clusterIP: '10.96.0.9' }, ['10.96.0.9']],
    ['changes the address, and has no list', { clusterIP: '10.96.0.9' }, ['10.96.0.9']],
    [
      'changes both, of which the check will say what it thinks',
      { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.8'] },
      ['10.96.0.8'],
    ],
    ['has the address alone, as old clients do', { clusterIP: '10.96.0.7' }, ['10.96.0.7', 'fd00:96::7']],
    ['empties the address alone', { ...before, clusterIP: '' }, ['10.96.0.7', 'fd00:96::7']],
  ])('by a client that %s', (_, sent, clusterIPs) => {
    expect(kept({ type: 'ClusterIP', ...sent }, before).clusterIPs).toEqual(clusterIPs)
  })
})

describe('a type that changes', () => {
  test('to a name elsewhere drops addresses, families, node ports and all that belongs to them', () => {
    const after = kept({ ...before, type: 'ExternalName' }, before)
    expect(after).toEqual({
      ...{ type: 'ExternalName', externalTrafficPolicy: 'Local' },
      ports: [
        { name: 'http', port: 80 },
        { name: 'https', port: 443 },
      ],
    })
  })

  test('drops nothing that was changed in the same request: that is refused, not half done', () => {
    const sent = {
      ...before,
      type: 'ExternalName',
      clusterIP: '10.96.0.9',
      clusterIPs: ['10.96.0.9'],
      ipFamilies: ['IPv4'],
    } as const
    expect(kept(sent, before)).toMatchObject({ clusterIP: '10.96.0.9', ipFamilies: ['IPv4'] })
    const ports = [...before.ports!, { name: 'new', port: 1, nodePort: 30_001 }]
    expect(nodePortsOf(kept({ ...before, type: 'ClusterIP', ports }, before))).toEqual([30_080, 30_443, 30_001])
    expect(
      kept({ ...before, externalTrafficPolicy: 'Cluster', healthCheckNodePort: 30_101 }, before).healthCheckNodePort,
    ).toBe(30_101)
  })

  test('from a load balancer to node ports keeps these, and drops what only load balancers have', () => {
    const after = kept({ ...before, type: 'NodePort' }, before)
    expect(after.ports).toEqual(before.ports)
    expect(['healthCheckNodePort', 'allocateLoadBalancerNodePorts'].filter(field => field in after)).toEqual([])
  })
})

test('a Service that is made may say its address alone, one of a name elsewhere may not, and None is listed, too', () => {
  expect(kept({ clusterIP: '10.96.0.7' }, undefined).clusterIPs).toEqual(['10.96.0.7'])
  expect(kept({ clusterIP: 'None' }, undefined).clusterIPs).toEqual(['None'])
  const elsewhere = { type: 'ExternalName', clusterIP: '10.96.0.7' } as const
  expect([kept(elsewhere, undefined), withListedIPs({ clusterIP: '' })]).toEqual([elsewhere, { clusterIP: '' }])
})

/** As files of owners have them: nothing that is allocated is named, but a fixed address now and then. */
const anyFile: fc.Arbitrary<ServiceSpec> = fc
  .record({
    type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
    policy: fc.constantFrom(undefined, 'SingleStack', 'PreferDualStack', 'RequireDualStack'),
    clusterIP: fc.constantFrom(undefined, undefined, '10.96.0.9', 'fd00:96::9'),
    traffic: fc.constantFrom('Local', 'Cluster'),
    ports: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
    givesNodePorts: fc.constantFrom(undefined, true, false),
  })
  .map(({ type, policy, clusterIP, traffic, ports, givesNodePorts }) => {
    const items = ports.map(port => ({ name: `p${port}`, port }))
    if (type === 'ExternalName') return { type, ports: items }
    return {
      ...{ type, ports: items },
      ...(policy !== undefined && { ipFamilyPolicy: policy }),
      ...(clusterIP !== undefined && { clusterIP }),
      ...(type !== 'ClusterIP' && { externalTrafficPolicy: traffic }),
      ...(type === 'LoadBalancer' && givesNodePorts !== undefined && { allocateLoadBalancerNodePorts: givesNodePorts }),
    } as ServiceSpec
  })

describe('whatever became of a Service', () => {
  const walked = (files: readonly ServiceSpec[], look: (services: PaperServices, file: ServiceSpec) => void) => {
    const services = new PaperServices({ cidrs: DUAL })
    services.put('other', { type: 'NodePort', ipFamilyPolicy: 'RequireDualStack', ports: [{ port: 1 }] })
    for (const file of files) {
      try {
        services.put('web', file)
      } catch (error) {
        if (!(error instanceof AllocationRefused)) throw error
        continue
      }
      look(services, file)
    }
  }

  test('what was read can be written back, and the same file applied again: nothing changes', () => {
    fc.assert(
      fc.property(fc.array(anyFile, { minLength: 1, maxLength: 8 }), files => {
        walked(files, (services, file) => {
          const stored = services.specs.get('web')!
          expect(services.put('web', stored)).toEqual(stored)
          expect(services.put('web', file)).toEqual(stored)
        })
      }),
    )
  })

  test('its first address is its own for as long as it has any', () => {
    fc.assert(
      fc.property(fc.array(anyFile, { minLength: 2, maxLength: 8 }), files => {
        let first = ''
        walked(files, ({ specs }) => {
          const { clusterIP = '' } = specs.get('web')!
          if (first !== '' && clusterIP !== '') expect(clusterIP).toBe(first)
          first = clusterIP
        })
      }),
    )
  })
})
