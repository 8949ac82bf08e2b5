import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { understood } from '#cni/lint/lint.ts'
import { type Neighbours, NO_NEIGHBOURS } from '#cni/lint/rules/overlaps.ts'
import type { Cidr } from '#values/cidr.ts'
import { found, IPAM, ipam, list } from '../configurations.ts'

describe('ranges', () => {
  const network = (name: string, ...plugins: object[]) => ({
    file: `${name}.conflist`,
    root: understood(JSON.stringify({ name, plugins }))!,
  })
  const near = (neighbours: Partial<Neighbours>) => ({ neighbours: { ...NO_NEIGHBOURS, ...neighbours } })

  test('that meet those of another network in the folder are named with it', () => {
    const other = network('other', { ipam: { type: 'host-local', ranges: [[{ subnet: '10.22.8.0/24' }]] } })
    expect(found(list({}), near({ networks: [other] }))).toEqual([
      'error: plugins[0].ipam.subnet: 10.22.0.0/16 overlaps with 10.22.8.0/24 of network "other" (other.conflist); give each its own, or write "overlap": "allow" where they never meet',
    ])
  })

  test('may meet where either network says so, or where the other is no network of ours', () => {
    const allowed = network('other', { ipam: { ...IPAM, overlap: 'allow' } })
    const theirs = network('theirs', { ipam: { ...IPAM, type: 'static' } })
    expect(found(list({}), near({ networks: [allowed, theirs] }))).toEqual([])
    const other = network('other', { ipam: IPAM })
    expect(found(ipam({ overlap: 'allow' }), near({ networks: [other] }))).toEqual([])
  })

  test.each([
    [{ isGateway: true, bridge: 'cni0' }, 1],
    [{ isDefaultGateway: true }, 1],
    [{ isGateway: true, bridge: 'cni1' }, 0],
    [{ bridge: 'cni0' }, 0],
  ])('beside a network with %j share its bridge: %i errors', (plugin, errors) => {
    const other = network('other', { ...plugin, ipam: { ...IPAM, subnet: '10.23.0.0/16' } })
    const sentence =
      'error: plugins[0].bridge: cni0 is the bridge of network "other" (other.conflist), too, and can have one gateway address; give each network a bridge of its own'
    expect(found(list({}), near({ networks: [other] }))).toEqual([sentence].slice(0, errors))
  })

  test('are those of the file that comes first, where two have one name', () => {
    const same = network('net1', { ipam: IPAM })
    expect(found(list({}), near({ networks: [{ ...same, file: 'a.conflist' }] }))).toEqual([
      'warning: name: network "net1" stands in a.conflist, too; runtimes take the file that comes first',
    ])
  })

  test('that meet the range of Services are an error', () => {
    expect(found(list({}), near({ serviceRanges: ['10.96.0.0/12' as Cidr, '10.16.0.0/12' as Cidr] }))).toEqual([
      'error: plugins[0].ipam.subnet: 10.22.0.0/16 overlaps with the range of Services, 10.16.0.0/12; a pod there could not be reached',
    ])
  })

  test('that meet a route of the node are a warning, unless it is their own bridge’s', () => {
    const routes = [
      { destination: '10.22.0.0/16' as Cidr, link: 'cni0' },
      { destination: '10.0.0.0/8' as Cidr, link: 'tun0' },
      { destination: '192.168.0.0/16' as Cidr, link: 'eth0' },
    ]
    expect(found(list({}), near({ routes }))).toEqual([
      'warning: plugins[0].ipam.subnet: 10.22.0.0/16 overlaps with a route of this node, 10.0.0.0/8 by tun0',
    ])
  })

  test.each([
    ['ptp', 1],
    ['bridge', 3],
  ])('of %s have routes of their own pods on the node where each has its own link: %i warnings', (type, count) => {
    const routes = [
      { destination: '10.22.0.5/32' as Cidr, link: 'veth5' },
      { destination: '10.22.0.6/32' as Cidr, link: 'veth6' },
      { destination: '10.22.8.0/24' as Cidr, link: 'tun0' },
    ]
    const plugin = { cniVersion: '1.0.0', name: 'net1', plugins: [{ type, ipam: IPAM }] }
    expect(found(plugin, near({ routes }))).toHaveLength(count)
  })

  test('meet from both sides or from neither, and only where they have an address in common', () => {
    const four = fc.tuple(fc.nat(3), fc.integer({ min: 16, max: 20 }), fc.nat(15)).map(([net, bits, part]) => {
      const third = (part << 4) & (0xff00 >> (bits - 16)) & 0xff
      return { subnet: `10.${net}.${third}.0/${bits}`, first: (net << 8) | third, size: 1 << (24 - bits) }
    })
    const six = fc.nat(3).map(net => ({ subnet: `fd00:${net}::/64`, first: -1 - net, size: 1 }))
    const subnet = fc.oneof(four, six)
    fc.assert(
      fc.property(subnet, subnet, (one, other) => {
        const doMeet = one.first < other.first + other.size && other.first < one.first + one.size
        for (const [a, b] of [
          [one, other],
          [other, one],
        ] as const) {
          const neighbour = network('other', { ipam: { type: 'host-local', subnet: b.subnet } })
          const config = list({ isGateway: false, ipMasq: false, ipam: { type: 'host-local', subnet: a.subnet } })
          expect(found(config, near({ networks: [neighbour] })).length).toBe(doMeet ? 1 : 0)
        }
      }),
    )
  })
})
