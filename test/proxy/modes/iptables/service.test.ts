import { describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import { resolve } from '#proxy/desired/resolve.ts'
import { service as chainsOf } from '#proxy/modes/iptables/service.ts'
import { cidr, endpoint, ip, name, port, service, slice } from '../../../support/objects.ts'
import { unitText } from '../../../support/units.ts'

const VIEW: NodeView = {
  family: 'ipv4',
  mark: 0x4000,
  localPods: { by: 'cidr', cidr: cidr('10.244.0.0/16') },
  nodePortAddresses: 'all',
  localhostNodePorts: true,
  masquerade: 'from-outside',
  dropInvalid: true,
  endpointComments: true,
}

function rules(objects: readonly ClusterObject[], view: NodeView = VIEW): readonly string[] {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const { nodeIP } = view
  const thisNode = {
    ...({ family: 'ipv4', nodeName: 'here', masquerade: 'from-outside' } as const),
    ...(nodeIP !== undefined && { nodeIP }),
  }
  const [found] = resolve(cluster, name('shop/cart'), thisNode)
  return chainsOf(found!.traffic, view).flatMap(({ unit, text }) =>
    text.split('\n').map(line => `${unitText(unit).split(' ')[0]} ${line}`),
  )
}

const POD = slice('shop/a', 'shop/cart', [endpoint('10.244.1.2', { nodeName: 'here' })])

describe('local pods', () => {
  const cart = service('shop/cart', ['10.96.0.10'])
  const masquerade = (view: Partial<NodeView>): string | undefined =>
    rules([cart, POD], { ...VIEW, ...view }).find(
      line => line.includes('cluster IP') && line.endsWith('KUBE-MARK-MASQ'),
    )

  test('are detected by their addresses', () =>
    expect(masquerade({})).toContain('! -s 10.244.0.0/16 -d 10.96.0.10/32 -p tcp'))
  test('or by their bridge', () =>
    expect(masquerade({ localPods: { by: 'interface', name: 'cni0' } })).toContain('-d 10.96.0.10/32 ! -i cni0 -p tcp'))
  test('or by the names of their interfaces', () =>
    expect(masquerade({ localPods: { by: 'interface-prefix', prefix: 'veth' } })).toContain(
      '-d 10.96.0.10/32 ! -i veth+ -p tcp',
    ))
})

test('a large cluster goes without comments on endpoints, and keeps them at its frontends', () => {
  const lines = rules([service('shop/cart', ['10.96.0.10']), POD], { ...VIEW, endpointComments: false })
  expect(lines.filter(line => line.includes('KUBE-SEP-')).every(line => !line.includes('--comment'))).toBe(true)
  expect(lines.some(line => line.includes('-A KUBE-SERVICES') && line.includes('"shop/cart cluster IP"'))).toBe(true)
})

test('a node inside a source range lets the load balancer address itself in', () => {
  const guarded = service('shop/cart', ['10.96.0.10'], {
    type: 'LoadBalancer',
    loadBalancerIPs: [ip('198.18.0.8')],
    sourceRanges: [cidr('10.99.0.0/24')],
  })
  const sources = (view: NodeView): readonly string[] =>
    rules([guarded, POD], view).flatMap(line => /-A KUBE-FW-\S+ -s (\S+)/.exec(line)?.[1] ?? [])
  expect(sources({ ...VIEW, nodeIP: ip('10.99.0.2') })).toEqual(['10.99.0.0/24', '198.18.0.8/32'])
  expect(sources({ ...VIEW, nodeIP: ip('10.98.0.2') })).toEqual(['10.99.0.0/24'])
  expect(sources(VIEW)).toEqual(['10.99.0.0/24'])
})

test('a node port without endpoints is refused on the node itself only', () => {
  const empty = service('shop/cart', ['10.96.0.10'], { ports: [port({ port: 80, nodePort: 30080 })] })
  expect(rules([empty])).toEqual([
    'filter -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "shop/cart has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
    'filter -A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "shop/cart has no endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j REJECT --reject-with icmp-port-unreachable',
  ])
})

test('a large cluster reaches its addresses through branches, each written once', () => {
  const cart = service('shop/cart', ['10.96.1.10'], { externalIPs: [ip('10.96.1.99'), ip('198.18.0.7')] })
  const lines = rules([cart, POD], { ...VIEW, dispatch: 'tree' }).filter(line => line.includes('-A KUBE-SERVICES'))
  expect(lines.map(line => / -d (\S+) -j (KUBE-SVCS1-\S{16})$/.exec(line)?.[1])).toEqual([
    '10.96.0.0/16',
    '198.18.0.0/16',
  ])
  const leaf = rules([cart, POD], { ...VIEW, dispatch: 'tree' }).find(
    line => line.includes('"shop/cart cluster IP"') && line.includes('-j KUBE-SVC-'),
  )
  expect(leaf).toContain('nat -A KUBE-SVCS3-')
})
