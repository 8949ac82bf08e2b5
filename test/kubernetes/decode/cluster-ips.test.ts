import { describe, expect, test } from 'vitest'
import { decodeAs } from '#kubernetes/decode/decode.ts'
import type { Service } from '#kubernetes/objects.ts'

function decoded(spec: Record<string, unknown>) {
  const metadata = { namespace: 'shop', name: 'cart' }
  return decodeAs('Service', { metadata, spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }], ...spec } })
}

function complained(spec: Record<string, unknown>): { service: Service; problems: readonly string[] } {
  const result = decoded(spec)
  if (!result.ok) throw new Error(result.problems.join('\n'))
  return { service: result.object as Service, problems: result.problems }
}

function kept(spec: Record<string, unknown>): Service {
  const { service, problems } = complained(spec)
  expect(problems).toEqual([])
  return service
}

function refused(spec: Record<string, unknown>): readonly string[] {
  const result = decoded(spec)
  expect(result).toMatchObject({ ok: false, kind: 'Service', name: 'shop/cart', label: 'shop/cart' })
  return result.problems
}

describe('cluster IPs', () => {
  test.each([
    ['the one address', { clusterIP: 'fd00::10' }, ['fd00::10']],
    ['one family of two', { clusterIPs: ['10.96.0.10'], ipFamilies: ['IPv4', 'IPv6'] }, ['10.96.0.10']],
    ['no list', { ipFamilies: ['IPv4'] }, ['10.96.0.10']],
    [
      'IPv6 first',
      { clusterIP: 'fd00::1', clusterIPs: ['fd00::1', '10.96.0.1'], ipFamilies: ['IPv6', 'IPv4'] },
      ['fd00::1', '10.96.0.1'],
    ],
    ['headless', { clusterIP: 'None', clusterIPs: ['None'] }, []],
    ['not yet given', { clusterIP: '' }, []],
    ['absent', { clusterIP: undefined }, []],
    ['ExternalName, whatever else it says', { type: 'ExternalName', clusterIP: 'junk', clusterIPs: 'junk' }, []],
  ])('%s', (_, spec, expected) => {
    expect(kept(spec).clusterIPs).toEqual(expected)
  })

  test('without families there is just the first, and the others are named as problems', () => {
    const { service, problems } = complained({ clusterIPs: ['10.96.0.10', 'fd00::10'] })
    expect(service.clusterIPs).toEqual(['10.96.0.10'])
    expect(problems).toEqual(['spec.clusterIPs[1]: "fd00::10" has no family in spec.ipFamilies and is left out'])
  })

  test('a Service made headless by an absent clusterIP is a problem', () => {
    const { service, problems } = complained({ clusterIP: undefined, clusterIPs: ['10.96.0.10'] })
    expect(service.clusterIPs).toEqual([])
    expect(problems).toEqual(['spec.clusterIP: nothing makes a Service headless, whatever spec.clusterIPs says'])
  })

  test.each([
    [{ clusterIP: '10.96.0.300' }, 'spec.clusterIP: "10.96.0.300" is not an IP address, None or empty'],
    [{ clusterIP: 5 }, 'spec.clusterIP: 5 is not an IP address, None or empty'],
    [{ clusterIPs: '10.96.0.10' }, 'spec.clusterIPs: "10.96.0.10" is not a list'],
    [{ ipFamilies: 'IPv4' }, 'spec.ipFamilies: "IPv4" is not a list'],
    [{ clusterIPs: ['10.96.0.11'] }, 'spec.clusterIPs[0]: "10.96.0.11" is not spec.clusterIP, which is 10.96.0.10'],
    [{ clusterIPs: ['10.96.0.10', 'x'], ipFamilies: ['IPv4', 'IPv6'] }, 'spec.clusterIPs[1]: "x" is not an IP address'],
    [{ ipFamilies: ['IPv6'] }, 'spec.ipFamilies[0]: "IPv6" is not the family of spec.clusterIPs[0], 10.96.0.10'],
    [{ ipFamilies: ['ipv4'] }, 'spec.ipFamilies[0]: "ipv4" is not the family of spec.clusterIPs[0], 10.96.0.10'],
    [
      { clusterIPs: ['10.96.0.10', '10.96.0.11'], ipFamilies: ['IPv4', 'IPv4'] },
      'spec.clusterIPs[1]: "10.96.0.11" is the second of its family',
    ],
    [
      { type: 'Loadbalancer' },
      'spec.type: "Loadbalancer" is not one of ClusterIP, NodePort, LoadBalancer, ExternalName',
    ],
    [{ externalTrafficPolicy: 'local' }, 'spec.externalTrafficPolicy: "local" is not Cluster or Local'],
    [{ internalTrafficPolicy: 5 }, 'spec.internalTrafficPolicy: 5 is not Cluster or Local'],
  ])('%j spoils the Service', (spec, problem) => {
    expect(refused(spec)).toEqual([problem])
  })

  test('all that is wrong is reported at once', () => {
    expect(refused({ clusterIP: 'x', type: 'y', externalIPs: ['z'] })).toHaveLength(3)
  })
})
