import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Service } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { servicePorts } from '#proxy/cluster/service-ports.ts'
import type { Family } from '#values/address.ts'
import { cidr, ip, port, service } from '../../support/objects.ts'

function portsOf(object: Service, family: Family = 'ipv4', others: readonly Service[] = []) {
  const cluster = new Cluster()
  for (const one of [...others, object]) cluster.apply({ type: 'put', object: one })
  return servicePorts(object, family, cluster.claims)
}

const DUAL = ['10.96.0.10', 'fd10:96::10']

describe('a Service has ports', () => {
  test.each([
    ['none that is headless', service('a/b', [])],
    ['none that is a name elsewhere', service('a/b', ['10.96.0.10'], { type: 'ExternalName' })],
    ['none in a family of which it has no cluster IP', service('a/b', ['fd10:96::10'])],
  ])('%s', (_, object) => expect(portsOf(object)).toEqual([]))

  test('in each family with the addresses of that family alone, each once', () => {
    const object = service('a/b', DUAL, {
      externalIPs: ['198.18.0.7', 'fd00:198::7', '198.18.0.7'].map(ip),
      loadBalancerIPs: ['fd00:198::8', '198.18.0.7'].map(ip),
    })
    expect(portsOf(object)).toMatchObject([
      { clusterIP: '10.96.0.10', externalIPs: ['198.18.0.7'], loadBalancerIPs: ['198.18.0.7'] },
    ])
    expect(portsOf(object, 'ipv6')).toMatchObject([
      { clusterIP: 'fd10:96::10', externalIPs: ['fd00:198::7'], loadBalancerIPs: ['fd00:198::8'] },
    ])
  })

  test('by its names, one for each', () => {
    const ports = [port({ name: 'http', port: 80, nodePort: 30080 }), port({ name: 'dns', protocol: 'udp', port: 53 })]
    expect(portsOf(service('a/b', DUAL, { ports })).map(({ id, nodePort }) => [id, nodePort])).toEqual([
      ['a/b:http', 30080],
      ['a/b:dns', undefined],
    ])
    expect(portsOf(service('a/b', DUAL))[0]!.id).toBe('a/b')
  })
})

describe('policy for outside traffic', () => {
  test.each([
    ['means nothing on a Service that is internal', {}, 'Cluster'],
    ['holds at external addresses', { externalIPs: [ip('198.18.0.7')] }, 'Local'],
    ['holds at node ports', { type: 'NodePort' }, 'Local'],
    ['holds at load balancers', { type: 'LoadBalancer' }, 'Local'],
  ] as const)('%s', (_, more, expected) => {
    expect(portsOf(service('a/b', DUAL, { externalPolicy: 'Local', ...more }))[0]!.externalPolicy).toBe(expected)
  })
})

describe('source ranges', () => {
  test.each([
    ['are those of the family', ['10.0.0.0/8', 'fd00::/8'], ['10.0.0.0/8']],
    ['of the other family alone restrict nothing', ['fd00::/8'], []],
    ['of which one holds every address restrict nothing', ['10.0.0.0/8', '0.0.0.0/0'], []],
    ['are not lifted by the other family', ['10.0.0.0/8', '::/0'], ['10.0.0.0/8']],
  ])('%s', (_, ranges, expected) => {
    const sourceRanges = ranges.map(cidr)
    expect(portsOf(service('a/b', DUAL, { sourceRanges }))[0]!.sourceRanges).toEqual(expected)
  })
})

test('a cluster IP that an older Service has is lost, and the port says to which', () => {
  const older = service('a/older', ['10.96.0.10'])
  const [lost] = portsOf(service('a/younger', ['10.96.0.10'], { created: 1 }), 'ipv4', [older])
  expect(lost).not.toHaveProperty('clusterIP')
  expect(lost!.lost).toEqual([{ frontend: 'tcp 10.96.0.10 80', holder: 'a/older' }])
})

test('no frontend has two owners, and each that is asked for has one', () => {
  const addresses = fc.subarray(['198.18.0.1', '198.18.0.2', '198.18.0.3'])
  const spec = fc.record({
    external: addresses,
    balancers: addresses,
    created: fc.nat(2),
    nodePort: fc.constantFrom(undefined, 30001, 30002),
  })
  fc.assert(
    fc.property(fc.array(spec, { minLength: 1, maxLength: 4 }), specs => {
      const services = specs.map(({ external, balancers, created, nodePort }, i) =>
        service(`a/s${i}`, [`10.96.0.${i + 1}`], {
          created,
          ports: [port({ port: 80, ...(nodePort !== undefined && { nodePort }) })],
          externalIPs: external.map(ip),
          loadBalancerIPs: balancers.map(ip),
        }),
      )
      const cluster = new Cluster()
      for (const object of services) cluster.apply({ type: 'put', object })
      const owned = services.flatMap(object =>
        servicePorts(object, 'ipv4', cluster.claims).flatMap(({ externalIPs, loadBalancerIPs, nodePort }) => [
          ...new Set([...externalIPs, ...loadBalancerIPs, ...(nodePort === undefined ? [] : [nodePort])]),
        ]),
      )
      const asked = specs.flatMap(({ external, balancers, nodePort }) => [...external, ...balancers, nodePort])
      expect(owned.toSorted()).toEqual([...new Set(asked.filter(one => one !== undefined))].toSorted())
    }),
  )
})
