import { describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import { resolve } from '#proxy/desired/resolve.ts'
import type { UserspaceOptions } from '#proxy/modes/userspace/index.ts'
import { cidr, endpoint, ip, name, port, service, slice, slicePort } from '../../../support/objects.ts'
import { textsOf, unitText } from '../../../support/units.ts'
import { userspaceIn } from './tools.ts'

const VIEW: NodeView = {
  family: 'ipv4',
  mark: 0x4000,
  localPods: { by: 'cidr', cidr: cidr('10.244.0.0/16') },
  nodePortAddresses: 'all',
  localhostNodePorts: false,
  masquerade: 'from-outside',
  dropInvalid: true,
  endpointComments: true,
  nodeIP: ip('10.99.0.2'),
}

interface Given {
  readonly objects: readonly ClusterObject[]
  readonly view?: Partial<NodeView>
  readonly options?: Omit<UserspaceOptions, 'tools'>
}

function units({ objects, view, options }: Given): ReadonlyMap<string, string> {
  const node = { ...VIEW, ...view }
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const { family, nodeIP } = node
  const thisNode = { family, nodeName: 'here', masquerade: 'from-outside', ...(nodeIP && { nodeIP }) } as const
  const mode = userspaceIn(node.family, options)
  const entries = resolve(cluster, name('shop/cart'), thisNode).flatMap(({ traffic }) => mode.service(traffic, node))
  return textsOf(new Map(entries.map(({ unit, text }) => [unit, text])))
}

function lines(given: Given): readonly string[] {
  return [...units(given)].flatMap(([unit, text]) => (unit.startsWith('listen') ? [] : text.split('\n')))
}

const HERE = { nodeName: 'here' }
const POD = slice('shop/a', 'shop/cart', [endpoint('10.244.1.2', HERE), endpoint('10.244.2.3')])
const CART = service('shop/cart', ['10.96.0.10'])

describe('a listener', () => {
  test('hands clients to all endpoints', () => {
    expect(units({ objects: [CART, POD] }).get('listen tcp shop/cart')).toBe('to 10.244.1.2:8080 10.244.2.3:8080')
  })

  test('knows for how long clients stay', () => {
    const sticky = service('shop/cart', ['10.96.0.10'], { stickySeconds: 100 })
    expect(units({ objects: [sticky, POD] }).get('listen tcp shop/cart')).toMatch(/ sticky 100$/)
  })

  test('is one for each pool that clients are led to', () => {
    const local = service('shop/cart', ['10.96.0.10'], { externalIPs: [ip('198.18.0.7')], externalPolicy: 'Local' })
    const found = units({ objects: [local, POD] })
    expect(found.get('listen tcp shop/cart')).toBe('to 10.244.1.2:8080 10.244.2.3:8080')
    expect(found.get('listen tcp shop/cart local')).toBe('to 10.244.1.2:8080')
    const internal = service('shop/cart', ['10.96.0.10'], { internalPolicy: 'Local' })
    expect([...units({ objects: [internal, POD] }).keys()].filter(unit => unit.startsWith('listen'))).toEqual([
      'listen tcp shop/cart local',
    ])
  })

  test('is not there where there are no endpoints', () => {
    expect([...units({ objects: [CART] }).keys()]).toEqual(['filter KUBE-PORTALS-CLOSED'])
  })

  test('of UDP over IPv6 answers at the node’s own address, and is led to there', () => {
    const dns = service('shop/cart', ['fd10:96::10'], { ports: [port({ port: 53, protocol: 'udp' })] })
    const pods = slice('shop/a', 'shop/cart', [endpoint('fd00:244::2')], { ports: [slicePort(53, '', 'udp')] })
    const view = { family: 'ipv6', nodeIP: ip('fd00:99::2') } as const
    const given = { objects: [dns, pods], view }
    expect(units(given).get('listen udp shop/cart')).toBe('to [fd00:244::2]:53 at fd00:99::2')
    for (const line of lines(given))
      expect(line).toMatch(/ -j DNAT --to-destination \[fd00:99::2\]:\{udp shop\/cart\}$/)
    const elsewhere = { ...given, view: { ...view, nodeAddresses: [ip('fd00:77::1')] } }
    expect(units(elsewhere).get('listen udp shop/cart')).toBe('to [fd00:244::2]:53')
    for (const line of lines(elsewhere)) expect(line).toMatch(/ -j REDIRECT --to-ports \{udp shop\/cart\}$/)
  })
})

describe('clients', () => {
  const ends = (given: Given): readonly string[] => lines(given).map(line => line.slice(line.indexOf(' -j ') + 4))

  test('of a node whose address is unknown are redirected, the node’s own as well', () => {
    const { nodeIP: _, ...view } = VIEW
    const cluster = new Cluster()
    for (const object of [CART, POD]) cluster.apply({ type: 'put', object })
    const [found] = resolve(cluster, name('shop/cart'), { family: 'ipv4', nodeName: 'here', masquerade: 'never' })
    const entries = userspaceIn('ipv4').service(found!.traffic, view)
    const texts = entries.filter(({ unit }) => unitText(unit).startsWith('nat')).map(({ text }) => text)
    expect(texts).toHaveLength(2)
    for (const text of texts) expect(text).toMatch(/-j REDIRECT --to-ports \{tcp shop\/cart\}$/)
  })

  test('are led to --bind-address where the relay listens only there', () => {
    const options = { listenOn: ip('10.99.0.5') }
    expect(units({ objects: [CART, POD], options }).get('listen tcp shop/cart')).toMatch(/ at 10\.99\.0\.5$/)
    expect(new Set(ends({ objects: [CART, POD], options }))).toEqual(
      new Set(['DNAT --to-destination 10.99.0.5:{tcp shop/cart}']),
    )
  })

  test('of SCTP are refused, with the reason in the rule', () => {
    const sctp = service('shop/cart', ['10.96.0.10'], {
      ports: [port({ port: 9000, protocol: 'sctp', nodePort: 30900 })],
    })
    const pods = slice('shop/a', 'shop/cart', [endpoint('10.244.1.2')], { ports: [slicePort(9000, '', 'sctp')] })
    expect(lines({ objects: [sctp, pods] })).toEqual([
      '-A KUBE-PORTALS-CLOSED -d 10.96.0.10/32 -p sctp -m comment --comment "shop/cart SCTP is not supported in userspace mode" -m sctp --dport 9000 -j REJECT --reject-with icmp-port-unreachable',
      '-A KUBE-EXTERNAL-CLOSED -p sctp -m comment --comment "shop/cart SCTP is not supported in userspace mode" -m addrtype --dst-type LOCAL -m sctp --dport 30900 -j REJECT --reject-with icmp-port-unreachable',
    ])
  })

  const guarded = service('shop/cart', ['10.96.0.10'], {
    type: 'LoadBalancer',
    externalPolicy: 'Local',
    loadBalancerIPs: [ip('198.18.0.8')],
    sourceRanges: [cidr('10.0.0.0/8'), cidr('10.244.1.0/24'), cidr('203.0.113.0/24')],
  })
  const sourcesOfPods = (view: Partial<NodeView>): readonly string[] =>
    lines({ objects: [guarded, POD], view })
      .filter(line => /CONTAINER .*-d 198\.18\.0\.8\/32 .*"shop\/cart" (?!.*src-type)/.test(line))
      .map(line => line.slice(line.indexOf('-s'), line.indexOf(' -p')))

  test('that are pods come in through source ranges where both hold', () => {
    expect(sourcesOfPods({})).toEqual(['-s 10.244.0.0/16 -d 198.18.0.8/32', '-s 10.244.1.0/24 -d 198.18.0.8/32'])
    expect(sourcesOfPods({ localPods: { by: 'interface', name: 'cni0' } })).toEqual([
      '-s 10.0.0.0/8 -d 198.18.0.8/32 -i cni0',
      '-s 10.244.1.0/24 -d 198.18.0.8/32 -i cni0',
      '-s 203.0.113.0/24 -d 198.18.0.8/32 -i cni0',
      // The node itself is in the first range.
      '-s 198.18.0.8/32 -d 198.18.0.8/32 -i cni0',
    ])
  })

  test('of many Services find their rule through a tree, whose root is the chain that every packet passes', () => {
    const found = units({ objects: [CART, POD], view: { dispatch: 'tree' } })
    const chains = [...found.keys()].filter(unit => unit.includes('-PC') || unit.includes('CONTAINER'))
    expect(chains[0]).toBe('nat KUBE-PORTALS-CONTAINER')
    expect(chains.slice(1).map(unit => unit.slice(0, 12))).toEqual(['nat KUBE-PC1', 'nat KUBE-PC2', 'nat KUBE-PC3'])
    expect(found.get(chains[0]!)).toBe(`-A KUBE-PORTALS-CONTAINER -d 10.96.0.0/16 -j ${chains[1]!.slice(4)}`)
    expect(found.get(chains[3]!)).toContain('-d 10.96.0.10/32 -p tcp')
  })
})

test('a health check port is let in', () => {
  const balanced = service('shop/cart', ['10.96.0.10'], {
    type: 'LoadBalancer',
    externalPolicy: 'Local',
    loadBalancerIPs: [ip('198.18.0.8')],
    healthCheckNodePort: 31_234,
  })
  expect(lines({ objects: [balanced, POD] })).toContain(
    '-A KUBE-NODEPORT-NON-LOCAL -p tcp -m comment --comment "shop/cart health check node port" -m tcp --dport 31234 -j ACCEPT',
  )
})
