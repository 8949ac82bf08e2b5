import { describe, expect, test } from 'vitest'
import { decodeAs } from '#kubernetes/decode/decode.ts'

describe('a Node', () => {
  test('is kept with internal addresses first', () => {
    const raw = {
      metadata: {
        name: 'n1.example.com',
        namespace: 'ignored',
        uid: 'u-1',
        labels: { 'topology.kubernetes.io/zone': 'z1', other: 'x' },
        deletionTimestamp: '2026-11-20T10:00:00Z',
      },
      spec: {
        podCIDR: '10.244.9.0/24',
        podCIDRs: ['10.244.1.0/24', 'fd00:1::/64'],
        taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }, { key: 'a/b' }],
      },
      status: {
        addresses: [
          { type: 'ExternalIP', address: '198.51.100.1' },
          { type: 'Hostname', address: 'n1' },
          { type: 'InternalIP', address: '192.0.2.1' },
          { type: 'InternalIP', address: 'FD00::1' },
        ],
      },
    }
    expect(decodeAs('Node', raw)).toEqual({
      ok: true,
      problems: [],
      warnings: [],
      object: {
        kind: 'Node',
        name: 'n1.example.com',
        uid: 'u-1',
        addresses: ['192.0.2.1', 'fd00::1', '198.51.100.1'],
        zone: 'z1',
        podCIDRs: ['10.244.1.0/24', 'fd00:1::/64'],
        deleting: true,
        taints: ['ToBeDeletedByClusterAutoscaler', 'a/b'],
      },
    })
  })

  test('may say nothing but its name', () => {
    const object = { kind: 'Node', name: 'n1', uid: '', addresses: [], podCIDRs: [], deleting: false, taints: [] }
    expect(decodeAs('Node', { metadata: { name: 'n1' } })).toEqual({ ok: true, problems: [], warnings: [], object })
  })

  test('has the one range where there is no list', () => {
    const raw = (spec: object) => ({ metadata: { name: 'n1' }, spec })
    expect(decodeAs('Node', raw({ podCIDR: '10.244.9.0/24' }))).toMatchObject({
      object: { podCIDRs: ['10.244.9.0/24'] },
    })
    expect(decodeAs('Node', raw({ podCIDR: 'x' }))).toMatchObject({
      object: { podCIDRs: [] },
      problems: ['spec.podCIDR: "x" is not an address range like 10.244.1.0/24'],
    })
  })

  test('without a name is nothing', () => {
    expect(decodeAs('Node', { metadata: { name: 'N1' } })).toEqual({
      ok: false,
      kind: 'Node',
      name: undefined,
      label: '"N1"',
      problems: ['metadata.name: "N1" is not the name of a Node'],
    })
  })
})
