import { describe, expect, test } from 'vitest'
import { type AuditedCluster, audited } from '#ipam/services/audit.ts'
import { type Address, parseAddress } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'

const ip = (text: string): Address => parseAddress(text)!
const service = (name: string, clusterIPs: readonly string[], nodePorts: readonly number[] = []) => ({
  name,
  clusterIPs: clusterIPs.map(ip),
  nodePorts,
})
const found = (more: Partial<AuditedCluster>) =>
  audited({
    services: [],
    addresses: undefined,
    ranges: { cidrs: ['10.96.0.0/12' as Cidr], nodePorts: { first: 30_000, last: 32_767 } },
    ...more,
  }).map(({ reason, about, weight }) => `${weight} ${reason} ${about}`)

describe('an audit', () => {
  test('of a cluster that is right says nothing', () => {
    const addresses = [{ address: ip('10.96.7.1'), service: 'a/x' }]
    expect(found({ services: [service('a/x', ['10.96.7.1'], [30_500, 30_500])], addresses })).toEqual([])
  })

  test('names cluster IPs that two Services have, that are outside, and those in the static band', () => {
    const services = [
      service('a/x', ['10.96.7.1']),
      service('a/y', ['10.96.7.1']),
      service('a/z', ['10.0.0.1']),
      service('kube-system/dns', ['10.96.0.10']),
      service('a/six', ['fd00::1']),
      service('a/broadcast', ['10.111.255.255']),
    ]
    expect(found({ services })).toEqual([
      'error ClusterIPAlreadyAllocated a/y',
      'error ClusterIPOutOfRange a/z',
      'note ClusterIPInStaticBand kube-system/dns',
      'error ClusterIPOutOfRange a/six',
      'error ClusterIPOutOfRange a/broadcast',
    ])
  })

  test('names IPAddresses that are missing, left over, or refer to another', () => {
    const services = [service('a/x', ['10.96.7.1']), service('a/y', ['10.96.7.2'])]
    const addresses = [
      { address: ip('10.96.7.2'), service: 'a/x' },
      { address: ip('10.96.7.3'), service: 'a/gone' },
      { address: ip('10.96.7.4'), service: undefined },
    ]
    expect(found({ services, addresses })).toEqual([
      'error ClusterIPNotAllocated a/x',
      'error IPAddressWrongReference 10.96.7.2',
      'error IPAddressNotAllocated 10.96.7.3',
      'error IPAddressWrongReference 10.96.7.4',
    ])
  })

  test('names node ports that two Services have, that are outside, and those in the static band', () => {
    const services = [
      service('a/x', [], [30_500]),
      service('a/y', [], [30_500, 29_999]),
      service('a/z', [], [30_085, 30_086]),
    ]
    expect(found({ services })).toEqual([
      'error PortAlreadyAllocated a/y',
      'error PortOutOfRange a/y',
      'note PortInStaticBand a/z',
    ])
  })
})
