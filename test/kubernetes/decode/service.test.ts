import { describe, expect, test } from 'vitest'
import { decodeAs } from '#kubernetes/decode/decode.ts'
import type { Service } from '#kubernetes/objects.ts'

type Spec = Record<string, unknown>
const PORTS = [{ name: 'http', port: 80, protocol: 'TCP' }]

function decoded(spec: Spec, more: Record<string, unknown> = {}) {
  const metadata = { namespace: 'shop', name: 'cart' }
  return decodeAs('Service', { metadata, spec: { clusterIP: '10.96.0.10', ports: PORTS, ...spec }, ...more })
}

/** What is kept of a Service about which there is nothing to complain. */
function kept(spec: Spec, more: Record<string, unknown> = {}): Service {
  const result = decoded(spec, more)
  expect(result.problems).toEqual([])
  if (!result.ok) throw new Error('not ok')
  return result.object as Service
}

/** What is kept, and what was said. */
function complained(spec: Spec, more: Record<string, unknown> = {}): { service: Service; problems: readonly string[] } {
  const result = decoded(spec, more)
  if (!result.ok) throw new Error(result.problems.join('\n'))
  return { service: result.object as Service, problems: result.problems }
}

describe('a Service', () => {
  test('is kept without the fields that no mode uses', () => {
    const metadata = {
      namespace: 'shop',
      name: 'cart',
      uid: '0a1b-2c',
      creationTimestamp: '2026-11-20T10:00:00Z',
      managedFields: [{ manager: 'kubectl' }],
    }
    const spec = {
      type: 'LoadBalancer',
      clusterIP: '10.96.0.10',
      clusterIPs: ['10.96.0.10', 'FD00:0::10'],
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'PreferDualStack',
      selector: { app: 'cart' },
      ports: [
        { name: 'http', port: 80, protocol: 'TCP', targetPort: 8080, nodePort: 30080, appProtocol: 'http' },
        { name: 'dns', port: 53, protocol: 'UDP', nodePort: 0 },
      ],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
      externalTrafficPolicy: 'Local',
      internalTrafficPolicy: 'Cluster',
      externalIPs: ['192.0.2.1'],
      loadBalancerSourceRanges: ['10.1.2.3/8'],
      healthCheckNodePort: 30999,
    }
    const status = { loadBalancer: { ingress: [{ ip: '203.0.113.1' }, { hostname: 'lb.example.com' }] } }
    expect(decodeAs('Service', { metadata, spec, status })).toEqual({
      ok: true,
      problems: [],
      warnings: [],
      object: {
        kind: 'Service',
        name: 'shop/cart',
        uid: '0a1b-2c',
        created: Date.parse('2026-11-20T10:00:00Z'),
        type: 'LoadBalancer',
        clusterIPs: ['10.96.0.10', 'fd00::10'],
        ports: [
          { name: 'http', protocol: 'tcp', port: 80, nodePort: 30080 },
          { name: 'dns', protocol: 'udp', port: 53 },
        ],
        stickySeconds: 60,
        externalPolicy: 'Local',
        internalPolicy: 'Cluster',
        externalIPs: ['192.0.2.1'],
        loadBalancerIPs: ['203.0.113.1'],
        sourceRanges: ['10.0.0.0/8'],
        healthCheckNodePort: 30999,
      },
    })
  })

  test('of few words gets the defaults of the API server', () => {
    const service = kept({ ports: [{ port: 80 }] })
    expect(service).toEqual({
      kind: 'Service',
      name: 'shop/cart',
      uid: '',
      created: 0,
      type: 'ClusterIP',
      clusterIPs: ['10.96.0.10'],
      ports: [{ name: '', protocol: 'tcp', port: 80 }],
      externalPolicy: 'Cluster',
      internalPolicy: 'Cluster',
      externalIPs: [],
      loadBalancerIPs: [],
      sourceRanges: [],
    })
  })

  test('knows its age from text or from a Date', () => {
    const created = (creationTimestamp: unknown) => {
      const metadata = { namespace: 'shop', name: 'cart', creationTimestamp }
      return kept({}, { metadata }).created
    }
    expect(created('2026-11-20T10:00:00Z')).toBe(Date.UTC(2026, 10, 20, 10))
    expect(created(new Date(5000))).toBe(5000)
    expect([null, 'yesterday', 7, new Date(Number.NaN)].map(created)).toEqual([0, 0, 0, 0])
  })

  test('without a namespace is in default; one without a name is nothing', () => {
    expect(kept({}, { metadata: { name: 'cart' } }).name).toBe('default/cart')
    expect(decoded({}, { metadata: {} })).toMatchObject({ ok: false, name: undefined, label: 'nothing' })
    expect(decoded({}, { metadata: { name: 'cart', namespace: 'Shop' } }).problems).toEqual([
      'metadata.namespace: "Shop" is not a namespace',
    ])
  })

  test('has a name that fits into a rule', () => {
    const named = (name: string) => decoded({}, { metadata: { namespace: 'shop', name } }).ok
    expect(named('a'.repeat(63))).toBe(true)
    expect(named('a'.repeat(64))).toBe(false)
    expect(named('a.b')).toBe(false)
  })
})

describe('what is left out alone', () => {
  test('a port whose name and protocol were there before', () => {
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns', port: 53, protocol: 'TCP' },
      { name: 'dns', port: 54, protocol: 'UDP' },
    ]
    const { service, problems } = complained({ ports })
    expect(service.ports.map(port => `${port.port}/${port.protocol}`)).toEqual(['53/udp', '53/tcp'])
    expect(problems).toEqual(['spec.ports[2]: "dns" is the second udp port of that name'])
  })

  test('a node port that is none, and not its port', () => {
    const { service, problems } = complained({ ports: [{ port: 80, nodePort: 99999 }] })
    expect(service.ports).toEqual([{ name: '', protocol: 'tcp', port: 80 }])
    expect(problems).toEqual(['spec.ports[0].nodePort: 99999 is not a port from 1 to 65535'])
  })

  test('an external IP; blank ones without a word, repeated ones once', () => {
    const { service, problems } = complained({ externalIPs: ['', ' ', '192.0.2.1', '10.1.0.400', '192.0.2.1'] })
    expect(service.externalIPs).toEqual(['192.0.2.1'])
    expect(problems).toEqual(['spec.externalIPs[3]: "10.1.0.400" is not an IP address'])
  })

  test('a load balancer address that wants the traffic itself', () => {
    const ingress = [
      { ip: '203.0.113.1', ipMode: 'Proxy' },
      { ip: '203.0.113.2', ipMode: 'VIP' },
      { ip: '' },
      { ip: 'x' },
    ]
    const { service, problems } = complained({}, { status: { loadBalancer: { ingress } } })
    expect(service.loadBalancerIPs).toEqual(['203.0.113.2'])
    expect(problems).toEqual(['status.loadBalancer.ingress[3].ip: "x" is not an IP address'])
  })
})

describe('session affinity', () => {
  test.each([
    [{}, undefined],
    [{ sessionAffinity: 'None', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } }, undefined],
    [{ sessionAffinity: 'ClientIP' }, 10_800],
    [{ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: null } } }, 10_800],
    [{ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } }, 1],
    [{ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_400 } } }, 86_400],
  ])('%j', (spec, seconds) => {
    expect(kept(spec).stickySeconds).toBe(seconds)
  })

  test.each([0, -1, 86_401, 1.5, '60'])('a time of %j is reported, and the usual one used', timeoutSeconds => {
    const { service, problems } = complained({
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds } },
    })
    expect(service.stickySeconds).toBe(10_800)
    expect(problems[0]).toMatch(/timeoutSeconds: .* is not a number from 1 to 86400: 10800 is used$/)
  })
})

describe('the health check port', () => {
  const local = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30999 }
  test.each([
    [local, 30999],
    [{ ...local, healthCheckNodePort: 0 }, undefined],
    [{ ...local, type: 'NodePort' }, undefined],
    [{ ...local, externalTrafficPolicy: 'Cluster' }, undefined],
  ])('%j', (spec, expected) => {
    expect(kept(spec).healthCheckNodePort).toBe(expected)
  })

  test('that is none is reported', () => {
    const { service, problems } = complained({ ...local, healthCheckNodePort: 70_000 })
    expect(service).not.toHaveProperty('healthCheckNodePort')
    expect(problems).toEqual(['spec.healthCheckNodePort: 70000 is not a port from 1 to 65535'])
  })
})
