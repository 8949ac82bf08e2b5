import { describe, expect, test } from 'vitest'
import type { Service } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { resolve } from '#proxy/desired/resolve.ts'
import type { Frontend } from '#proxy/desired/traffic.ts'
import { cidr, endpoint, ip, name, port, service, slice } from '../../support/objects.ts'

// Who is admitted at each frontend, and from where.

const HERE = endpoint('10.244.1.2', { nodeName: 'here' })
const THERE = endpoint('10.244.2.2', { nodeName: 'there' })

function frontendsOf(spec: Partial<Service>, endpoints: readonly ReturnType<typeof endpoint>[], nodeIP = '10.99.0.2') {
  const cluster = new Cluster()
  cluster.apply({ type: 'put', object: service('shop/cart', ['10.96.0.10'], { type: 'LoadBalancer', ...spec }) })
  cluster.apply({ type: 'put', object: slice('shop/a', 'shop/cart', [...endpoints]) })
  const thisNode = { family: 'ipv4', nodeName: 'here', masquerade: 'never', nodeIP: ip(nodeIP) } as const
  return resolve(cluster, name('shop/cart'), thisNode)[0]!.traffic.frontends
}

const admitted = (frontends: readonly Frontend[]) =>
  Object.fromEntries(frontends.map(({ kind, admits }) => [kind, admits]))

describe('a frontend admits', () => {
  const outward = { ports: [port({ port: 80, nodePort: 30080 })], externalIPs: [ip('198.18.0.7')] }
  test.each([
    ['all clients', {}, [THERE], ['all', 'all']],
    ['none without endpoints', {}, [], ['none', 'none']],
    [
      'insiders where policy is Local and no endpoint is here',
      { externalPolicy: 'Local' },
      [THERE],
      ['all', 'insiders'],
    ],
    ['all where policy is Local and an endpoint is here', { externalPolicy: 'Local' }, [HERE], ['all', 'all']],
    ['none at a Local cluster IP without an endpoint here', { internalPolicy: 'Local' }, [THERE], ['none', 'all']],
  ] as const)('%s', (_, spec, endpoints, [inside, outside]) => {
    expect(admitted(frontendsOf({ ...outward, ...spec }, endpoints))).toEqual({
      'cluster-ip': inside,
      'external-ip': outside,
      'node-port': outside,
    })
  })
})

describe('source ranges', () => {
  const spec = { loadBalancerIPs: [ip('198.18.0.8'), ip('198.18.0.9')], sourceRanges: [cidr('10.99.0.0/24')] }
  const guarded = (nodeIP?: string) =>
    frontendsOf(spec, [HERE], nodeIP).filter(({ sourceRanges }) => sourceRanges !== undefined)

  test('are of load balancer addresses alone', () => {
    expect(guarded().map(({ kind, ip }) => [kind, ip])).toEqual([
      ['load-balancer', '198.18.0.8'],
      ['load-balancer', '198.18.0.9'],
    ])
  })
  test('that have this node in them admit the addresses of the load balancers', () => {
    expect(guarded()[0]!.sourceAddresses).toEqual(['198.18.0.8', '198.18.0.9'])
    expect(guarded('192.0.2.1')[0]).not.toHaveProperty('sourceAddresses')
  })
})
