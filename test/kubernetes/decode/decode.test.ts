import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Decoded, decode, decodeAs, KINDS } from '#kubernetes/decode/decode.ts'

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    namespace: 'shop',
    name: 'cart',
    uid: 'u',
    creationTimestamp: '2026-11-20T10:00:00Z',
    labels: { a: 'b' },
  },
  spec: {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.10',
    clusterIPs: ['10.96.0.10', 'fd00::10'],
    ipFamilies: ['IPv4', 'IPv6'],
    ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30080 }],
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
    externalTrafficPolicy: 'Local',
    internalTrafficPolicy: 'Cluster',
    externalIPs: ['192.0.2.1'],
    loadBalancerSourceRanges: ['10.0.0.0/8'],
    healthCheckNodePort: 30999,
  },
  status: { loadBalancer: { ingress: [{ ip: '203.0.113.1', ipMode: 'VIP' }] } },
}
const SLICE = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    namespace: 'shop',
    name: 'cart-x',
    labels: { 'kubernetes.io/service-name': 'cart' },
    annotations: { a: 'b' },
  },
  addressType: 'IPv4',
  ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  endpoints: [
    {
      addresses: ['10.244.1.1'],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: 'n1',
      zone: 'z1',
      hints: { forZones: [{ name: 'z1' }], forNodes: [{ name: 'n1' }] },
    },
  ],
}
const NODE = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1', uid: 'u', labels: { 'topology.kubernetes.io/zone': 'z1' } },
  spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'], taints: [{ key: 'a' }] },
  status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
}

describe('a document', () => {
  test.each([SERVICE, SLICE, NODE])('is decoded by its kind: $kind', raw => {
    const decoded = decode(raw)
    expect(decoded).toMatchObject({ ok: true, problems: [], object: { kind: raw.kind } })
    const { kind, apiVersion: _version, ...item } = raw
    expect(decodeAs(kind as (typeof KINDS)[number], item)).toEqual(decoded)
  })

  test.each([
    [
      { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'x' } },
      'Pod',
      'kind: "Pod" is not one of Service, EndpointSlice, Node, ServiceCIDR',
    ],
    [{ kind: 'toString' }, 'toString', 'kind: "toString" is not one of Service, EndpointSlice, Node, ServiceCIDR'],
    [{ kind: 'a\nb' }, '"a\\nb"', 'kind: "a\\nb" is not one of Service, EndpointSlice, Node, ServiceCIDR'],
    [{}, 'nothing', 'kind: nothing is not one of Service, EndpointSlice, Node, ServiceCIDR'],
    [null, 'nothing', 'kind: nothing is not one of Service, EndpointSlice, Node, ServiceCIDR'],
    [
      { ...SLICE, apiVersion: 'discovery.k8s.io/v1beta1' },
      'EndpointSlice',
      'apiVersion: "discovery.k8s.io/v1beta1" is not supported for EndpointSlice: "discovery.k8s.io/v1" is',
    ],
    [{ ...SERVICE, apiVersion: undefined }, 'Service', 'apiVersion: nothing is not supported for Service: "v1" is'],
  ])('that is none of ours is not: %j', (raw, kind, problem) => {
    expect(decode(raw)).toMatchObject({ ok: false, kind, problems: [problem] })
  })
})

describe('whatever it is given', () => {
  test('decode never throws, and what it keeps is safe', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true,
    })
    fc.assert(
      fc.property(anything, raw => {
        expectHarmless(decode(raw))
        for (const kind of KINDS) expectHarmless(decodeAs(kind, raw))
      }),
    )
  })

  test('a valid object with any part replaced by anything is decoded harmlessly', () => {
    fc.assert(
      fc.property(fc.constantFrom(SERVICE, SLICE, NODE), fc.nat(), replacement(), (raw, at, part) => {
        const paths = pathsOf(raw)
        expectHarmless(decode(replaced(raw, paths[at % paths.length]!, part)))
      }),
      { numRuns: 1000 },
    )
  })

  test('keys that reach for prototypes reach nothing', () => {
    const text = JSON.stringify(SERVICE).replace(
      '"metadata":{',
      '"__proto__":{"polluted":1},"metadata":{"__proto__":{"polluted":1},',
    )
    expect(decode(JSON.parse(text))).toEqual(decode(SERVICE))
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(decode(JSON.parse('{"kind":"__proto__"}')).ok).toBe(false)
    expect(decode(JSON.parse('{"kind":"constructor"}')).ok).toBe(false)
  })
})

/** Nothing but names, addresses, numbers and our own words comes out of decode. */
function expectHarmless(decoded: Decoded): void {
  if (decoded.ok) for (const text of textsOf(decoded.object)) expect(text).toMatch(/^[\w./:-]*$/)
  else expect(decoded.label).toMatch(PRINTABLE)
  for (const line of decoded.problems) {
    expect(line).toMatch(PRINTABLE)
    expect(line.length).toBeLessThan(700)
  }
}

const PRINTABLE = /^[\x20-\x7e]+$/

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}

type Path = readonly (string | number)[]

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value)
  const below = keys.flatMap(key => pathsOf((value as Record<string | number, unknown>)[key], [...path, key]))
  return [path, ...below]
}

function replaced(value: unknown, [key, ...rest]: Path, part: unknown): unknown {
  if (key === undefined) return part
  if (Array.isArray(value)) return value.map((it, i) => (i === key ? replaced(it, rest, part) : it))
  const fields = value as Record<string | number, unknown>
  return { ...fields, [key]: replaced(fields[key], rest, part) }
}

function replacement(): fc.Arbitrary<unknown> {
  const nearly = [
    '10.0.0.1\n',
    '010.0.0.1',
    '1.2.3.4/33',
    'None',
    'TCP\n',
    'cart -j ACCEPT',
    'x"',
    'fe80::1%a',
    '１',
    '',
    ' ',
    'a.b',
  ]
  return fc.oneof(
    fc.anything(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...nearly),
    fc.ipV4(),
    fc.ipV6(),
    fc.double(),
    fc.integer({ min: -5, max: 70_000 }),
    fc.array(fc.constantFrom<unknown>(...nearly, null, 5, {})),
  )
}
