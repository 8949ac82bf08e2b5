import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressOf, nodeOf, podAddresses, rangesOf, serviceOf } from '#ranges/overview/decoded.ts'
import type { RawObject } from '#ranges/overview/raw-objects.ts'

/** What an object says, and what of it is left out. */
function read<T>(decode: (object: RawObject, leftOut: (what: string) => void) => T, object: RawObject) {
  const left: string[] = []
  return { ...{ said: decode(object, what => left.push(what)) }, left }
}

const named = (name: string, namespace?: string) => ({ metadata: { name, ...(namespace && { namespace }) } })

describe('a Node', () => {
  const node = (spec: object, status: object = {}) => read(nodeOf, { ...named('n1'), spec, status } as RawObject)

  test('has the ranges of its list, or the one that old API servers set', () => {
    expect(node({ podCIDR: '10.244.9.0/24', podCIDRs: ['10.244.1.0/24', 'fd00::/64'] }).said.podCIDRs).toEqual([
      '10.244.1.0/24',
      'fd00::/64',
    ])
    expect(node({ podCIDR: '10.244.9.0/24', podCIDRs: [] }).said.podCIDRs).toEqual(['10.244.9.0/24'])
    expect(node({ podCIDR: '' })).toMatchObject({ said: { podCIDRs: [] }, left: [] })
  })

  test('loses a range that is none, which is named, and no other', () => {
    expect(node({ podCIDRs: ['10.244.1.0/24', '10.244.2.0', null] })).toMatchObject({
      said: { podCIDRs: ['10.244.1.0/24'] },
      left: ['Node n1: spec.podCIDRs: "10.244.2.0" is no range', 'Node n1: spec.podCIDRs: null is no range'],
    })
  })

  test('has addresses that packets go to: its names are none', () => {
    const addresses = [
      { type: 'Hostname', address: '192.0.2.9' },
      { type: 'InternalIP', address: '192.0.2.1' },
      { type: 'ExternalIP', address: '2001:db8::1' },
      { type: 'InternalIP', address: 'n1' },
      null,
    ]
    expect(node({}, { addresses }).said.addresses).toEqual(['192.0.2.1', '2001:db8::1'])
  })

  test('takes as many pods as are allocatable, or as its capacity says', () => {
    expect(node({}, { allocatable: { pods: '100' }, capacity: { pods: '110' } }).said.maxPods).toBe(100)
    expect(node({}, { capacity: { pods: '110' } }).said.maxPods).toBe(110)
    expect(node({}, { allocatable: { pods: '0' }, capacity: { pods: '110' } }).said.maxPods).toBe(0)
    expect(node({}).said.maxPods).toBeUndefined()
  })
})

describe('a Service', () => {
  const service = (spec: object) => read(serviceOf, { ...named('web', 'shop'), spec } as RawObject)

  test('has the addresses of its list, or the one of old objects; None and names elsewhere have none', () => {
    expect(service({ clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00::7'] }).said.clusterIPs).toEqual([
      '10.96.0.7',
      'fd00::7',
    ])
    expect(service({ clusterIP: '10.96.0.7' }).said.clusterIPs).toEqual(['10.96.0.7'])
    for (const spec of [
      { clusterIP: 'None', clusterIPs: ['None'] },
      { type: 'ExternalName', clusterIP: '10.96.0.7' },
      {},
    ])
      expect(service(spec)).toMatchObject({ said: { clusterIPs: [] }, left: [] })
  })

  test('loses an address that is none, which is named', () => {
    expect(service({ clusterIPs: ['10.96.0.300', 'fd00::7'] })).toMatchObject({
      said: { name: 'shop/web', clusterIPs: ['fd00::7'] },
      left: ['Service shop/web: cluster IP "10.96.0.300" is no address'],
    })
  })

  test('holds each of its node ports once, that for health checks, too, and none that is no number', () => {
    const ports = [{ nodePort: 30_053 }, { nodePort: 30_053 }, { nodePort: '30054' }, { nodePort: 30_055.5 }, {}, null]
    expect(service({ ports, healthCheckNodePort: 30_100 }).said.nodePorts).toEqual([30_053, 30_100])
  })
})

describe('an IPAddress', () => {
  const reference = (parentRef: unknown, name = '10.96.0.7') =>
    read(addressOf, { ...named(name), spec: { parentRef } } as RawObject)

  test('stands for the Service that it refers to, and for none where it refers to anything else', () => {
    const parent = { group: '', resource: 'services', namespace: 'shop', name: 'web' }
    expect(reference(parent).said).toEqual([{ address: '10.96.0.7', service: 'shop/web' }])
    const { group: _, ...core } = parent
    expect(reference(core).said[0]!.service).toBe('shop/web')
    for (const other of [{ ...parent, group: 'x' }, { ...parent, resource: 'pods' }, { ...parent, name: 7 }, undefined])
      expect(reference(other).said).toEqual([{ address: '10.96.0.7', service: undefined }])
  })

  test('whose name is no address is left out', () => {
    expect(reference({}, 'x')).toEqual({ said: [], left: ['IPAddress "x": its name is no address'] })
  })
})

test('a ServiceCIDR has its ranges, without those that are none', () => {
  expect(read(rangesOf, { ...named('kubernetes'), spec: { cidrs: ['10.96.0.0/16', 'x', 'fd00::/112'] } })).toEqual({
    said: ['10.96.0.0/16', 'fd00::/112'],
    left: ['ServiceCIDR kubernetes: "x" is no range'],
  })
})

describe('a pod', () => {
  test.each<[string, object, object, readonly string[]]>([
    [
      'of both families',
      {},
      { podIP: '10.244.1.9', podIPs: [{ ip: '10.244.1.2' }, { ip: 'fd00::2' }] },
      ['10.244.1.2', 'fd00::2'],
    ],
    ['of an old API server', {}, { podIP: '10.244.1.2' }, ['10.244.1.2']],
    ['that has none yet', {}, { phase: 'Pending' }, []],
    ['of the host’s network', { hostNetwork: true }, { podIP: '192.0.2.1' }, []],
    ['that has ended, whose address is another’s by now', {}, { phase: 'Succeeded', podIP: '10.244.1.2' }, []],
    ['that has failed', {}, { phase: 'Failed', podIP: '10.244.1.2' }, []],
    ['with an address that is none', {}, { podIPs: [{ ip: 'x' }, null, { ip: '10.244.1.2' }] }, ['10.244.1.2']],
  ])('%s', (_, spec, status, addresses) => {
    expect(podAddresses({ spec, status } as RawObject)).toEqual(addresses)
  })
})

test('whatever JSON an object is, it is read', () => {
  const keys = [
    ...[
      'podCIDRs',
      'podCIDR',
      'addresses',
      'allocatable',
      'ports',
      'clusterIP',
      'clusterIPs',
      'type',
      'cidrs',
      'parentRef',
    ],
    ...['podIPs', 'podIP', 'phase', 'healthCheckNodePort'],
  ]
  const fields = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue())
  fc.assert(
    fc.property(fields, fields, (spec, status) => {
      const object = { ...named('x'), spec, status } as RawObject
      for (const decode of [nodeOf, serviceOf, addressOf, rangesOf, podAddresses])
        expect(() => decode(object, () => {})).not.toThrow()
    }),
  )
})
