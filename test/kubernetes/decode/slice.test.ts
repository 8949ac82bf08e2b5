import { describe, expect, test } from 'vitest'
import { decodeAs } from '#kubernetes/decode/decode.ts'
import type { EndpointSlice } from '#kubernetes/objects.ts'

const METADATA = { namespace: 'shop', name: 'cart-x7', labels: { 'kubernetes.io/service-name': 'cart' } }
const ENDPOINT = { addresses: ['10.244.1.1'] }

function decoded(fields: Record<string, unknown>) {
  return decodeAs('EndpointSlice', { metadata: METADATA, addressType: 'IPv4', ...fields })
}

function complained(fields: Record<string, unknown>): { slice: EndpointSlice; problems: readonly string[] } {
  const result = decoded(fields)
  if (!result.ok) throw new Error(result.problems.join('\n'))
  return { slice: result.object as EndpointSlice, problems: result.problems }
}

function kept(fields: Record<string, unknown>): EndpointSlice {
  const { slice, problems } = complained(fields)
  expect(problems).toEqual([])
  return slice
}

describe('an EndpointSlice', () => {
  test('is kept without the fields that no mode uses', () => {
    const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-11-20T10:00:00.123456789Z' }
    const slice = kept({
      metadata: { ...METADATA, annotations, ownerReferences: [{ kind: 'Service' }] },
      ports: [
        { name: 'http', port: 8080, protocol: 'TCP', appProtocol: 'http' },
        { name: '', port: 9090, protocol: 'SCTP' },
      ],
      endpoints: [
        {
          addresses: ['10.244.1.1', '10.244.1.2'],
          conditions: { ready: false, serving: true, terminating: true },
          hostname: 'cart-0',
          targetRef: { kind: 'Pod' },
          nodeName: 'n1',
          zone: 'z1',
          hints: { forZones: [{ name: 'z1' }, { name: 'z2' }], forNodes: [{ name: 'n1' }] },
        },
      ],
    })
    expect(slice).toEqual({
      kind: 'EndpointSlice',
      name: 'shop/cart-x7',
      service: 'shop/cart',
      family: 'ipv4',
      triggered: Date.UTC(2026, 10, 20, 10, 0, 0, 123),
      ports: [
        { name: 'http', protocol: 'tcp', port: 8080 },
        { name: '', protocol: 'sctp', port: 9090 },
      ],
      endpoints: [
        {
          ip: '10.244.1.1',
          ready: false,
          serving: true,
          terminating: true,
          nodeName: 'n1',
          zone: 'z1',
          forZones: ['z1', 'z2'],
          forNodes: ['n1'],
        },
      ],
    })
  })

  test('may have neither ports nor endpoints', () => {
    expect(kept({ ports: null, endpoints: null })).toMatchObject({ ports: [], endpoints: [] })
  })

  test('of IPv6 has its addresses in one form', () => {
    const slice = kept({ addressType: 'IPv6', endpoints: [{ addresses: ['FD00:0:0::0001'] }] })
    expect(slice).toMatchObject({ family: 'ipv6', endpoints: [{ ip: 'fd00::1' }] })
  })

  test.each([
    [undefined, true, true, false],
    [null, true, true, false],
    [{}, true, true, false],
    [{ ready: null, serving: null, terminating: null }, true, true, false],
    [{ ready: true, serving: false }, true, false, false],
    [{ ready: false }, false, true, false],
    [{ ready: 'false', serving: 1, terminating: 'true' }, false, false, false],
  ])('conditions %j are ready %j, serving %j, terminating %j', (conditions, ready, serving, terminating) => {
    const [endpoint] = kept({ endpoints: [{ ...ENDPOINT, conditions }] }).endpoints
    expect(endpoint).toEqual({ ip: '10.244.1.1', ready, serving, terminating })
  })

  test.each([undefined, null, [], [{}], [{ name: '' }], [null], 'z1'])('hints %j are none', list => {
    const [endpoint] = kept({ endpoints: [{ ...ENDPOINT, hints: { forZones: list, forNodes: list } }] }).endpoints
    expect(endpoint).toEqual({ ip: '10.244.1.1', ready: true, serving: true, terminating: false })
  })

  test('names of nodes and zones that could not be any are none', () => {
    const [endpoint] = kept({ endpoints: [{ ...ENDPOINT, nodeName: 'n1\n-j ACCEPT', zone: 7 }] }).endpoints
    expect(endpoint).toEqual({ ip: '10.244.1.1', ready: true, serving: true, terminating: false })
  })

  test('a trigger time that is none is absent', () => {
    const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': 'soon' }
    expect(kept({ metadata: { ...METADATA, annotations } })).not.toHaveProperty('triggered')
  })
})

describe('a port of a slice', () => {
  test.each([undefined, null, ''])('with the name %j is the unnamed one', name => {
    expect(kept({ ports: [{ name, port: 80 }] }).ports).toEqual([{ name: '', protocol: 'tcp', port: 80 }])
  })

  test.each([
    [{ port: null }, 'ports[0].port: nothing is not a port from 1 to 65535'],
    [{ port: 0 }, 'ports[0].port: 0 is not a port from 1 to 65535'],
    [{ port: 80, name: 'A b' }, 'ports[0].name: "A b" is not the name of a port'],
    [{ port: 80, protocol: 'ICMP' }, 'ports[0].protocol: "ICMP" is not TCP, UDP or SCTP'],
  ])('%j is left out alone', (port, problem) => {
    const { slice, problems } = complained({ ports: [port, { name: 'good', port: 81 }] })
    expect(slice.ports).toEqual([{ name: 'good', protocol: 'tcp', port: 81 }])
    expect(problems).toEqual([problem])
  })
})

describe('an endpoint', () => {
  test.each([
    [{}, 'nothing'],
    [{ addresses: [] }, 'nothing'],
    [{ addresses: '10.244.1.2' }, 'nothing'],
    [{ addresses: ['10.244.1.400'] }, '"10.244.1.400"'],
    [{ addresses: ['010.244.1.0400'] }, '"010.244.1.0400"'],
    [{ addresses: ['fd00::1'] }, '"fd00::1"'],
  ])('%j is left out alone', (endpoint, value) => {
    const { slice, problems } = complained({ endpoints: [ENDPOINT, endpoint, ENDPOINT] })
    expect(slice.endpoints).toHaveLength(2)
    expect(problems).toEqual([`endpoints[1].addresses[0]: ${value} is not an IPv4 address`])
  })

  test('thousands of bad ones are reported in a few lines', () => {
    const { problems } = complained({ endpoints: Array(5000).fill({}) })
    expect(problems).toHaveLength(21)
    expect(problems.at(-1)).toBe('and 4980 more')
  })
})

describe('a slice that cannot be used', () => {
  test.each([
    [{ addressType: 'FQDN' }, /^addressType: "FQDN" is not supported/],
    [{ addressType: undefined }, /^addressType: nothing is not supported/],
    [
      { metadata: { ...METADATA, labels: {} } },
      /^metadata.labels\[kubernetes.io\/service-name\]: nothing does not name/,
    ],
    [{ metadata: { ...METADATA, labels: { 'kubernetes.io/service-name': '' } } }, /: "" does not name a Service$/],
    [
      { metadata: { ...METADATA, labels: { 'kubernetes.io/service-name': 'a b' } } },
      /: "a b" does not name a Service$/,
    ],
    [{ metadata: { ...METADATA, name: 'A' } }, /^metadata.name: "A" is not the name of an EndpointSlice$/],
  ])('%j', (fields, problem) => {
    const result = decoded(fields)
    expect(result.ok).toBe(false)
    expect(result.problems).toEqual([expect.stringMatching(problem)])
  })
})
