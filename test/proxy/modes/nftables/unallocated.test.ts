import { describe, expect, test } from 'vitest'
import type { Packet } from '#proxy/modes/trace.ts'
import { fateOf } from '../../../support/fate.ts'
import { cidr, endpoint, ip, service, slice } from '../../../support/objects.ts'
import { unit } from '../../../support/units.ts'
import { bookOf, modeOf } from './scene.ts'

// Addresses of the Services' ranges that no Service has.

const OBJECTS = [
  service('shop/web', ['10.96.0.10']),
  slice('shop/web-1', 'shop/web', [endpoint('10.244.1.2')]),
  service('default/kubernetes', ['10.96.0.1']),
  slice('default/kubernetes-1', 'default/kubernetes', [endpoint('10.98.0.1')]),
]
const RANGES = { serviceRanges: [cidr('10.96.0.0/12')], reachable: [cidr('10.99.0.0/24'), cidr('10.97.0.7/32')] }

function endAt(to: string, via: Packet['via'] = { hook: 'prerouting', iface: 'cni0' }, view = RANGES): string {
  const { rules } = bookOf(OBJECTS, 'ipv4', { view })
  const packet = { protocol: 'tcp', from: ip('10.244.1.9'), to: ip(to), port: 80, via, nodeAddresses: [] } as const
  return [...fateOf(modeOf('ipv4').trace(rules, packet)).keys()].join()
}

describe('an address of a range', () => {
  test('is dropped where no Service has it, for pods and the node alike', () => {
    expect([endAt('10.96.77.77'), endAt('10.111.255.255'), endAt('10.96.77.77', { hook: 'output' })]).toEqual(
      Array(3).fill('dropped'),
    )
  })

  test('that is really there is left alone', () => {
    expect([endAt('10.99.0.1'), endAt('10.97.0.7'), endAt('10.97.0.8')]).toEqual(['untouched', 'untouched', 'dropped'])
  })

  test('may be an endpoint of a Service, and is reached through it', () => {
    expect(endAt('10.96.0.1')).toBe('10.98.0.1:8080')
  })
})

test('beyond the ranges nothing is dropped, nor where no range is known', () => {
  expect(endAt('10.112.0.1')).toBe('untouched')
  expect(endAt('10.96.77.77', undefined, { serviceRanges: [], reachable: [] })).toBe('untouched')
})

test('a node that knows no range has the rules it had', () => {
  const { rules } = bookOf([], 'ipv4')
  expect([...rules.keys()]).not.toContain('chain unallocated-ips-check')
  expect(rules.get(unit('chain cluster-ips-check'))).toBe(
    'ip daddr @cluster-ips reject comment "undefined port of a cluster IP"',
  )
})
