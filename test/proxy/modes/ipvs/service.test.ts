import { expect, test } from 'vitest'
import { cidr, endpoint, ip, port, service, slice, slicePort } from '../../../support/objects.ts'
import { added, modeOf } from './scene.ts'

// One Service → the very virtual servers, addresses and members of sets that stand for it.

const HERE = { nodeName: 'here' }
const PODS = slice('shop/a', 'shop/cart', [endpoint('10.244.1.2', HERE), endpoint('10.244.2.3')])
const CART = service('shop/cart', ['10.96.0.10'])

const starting = (units: readonly string[], ...words: readonly string[]): readonly string[] =>
  units.filter(unit => words.some(word => unit.startsWith(word)))

test('a cluster IP is a virtual server, an address, and a member of three sets', () => {
  expect(added([CART, PODS])).toEqual([
    'address 10.96.0.10',
    'member KUBE-CLUSTER-IP 10.96.0.10,tcp:80',
    'member KUBE-IPVS-IPS 10.96.0.10',
    'member KUBE-LOOP-BACK 10.244.1.2,tcp:8080,10.244.1.2',
    'real tcp 10.96.0.10:80 10.244.1.2:8080: -m -w 1',
    'real tcp 10.96.0.10:80 10.244.2.3:8080: -m -w 1',
    'server tcp 10.96.0.10:80: -s rr',
  ])
})

test('a node port is a virtual server at each address of the node, which is recorded and not bound', () => {
  const node = service('shop/cart', ['10.96.0.10'], { ports: [port({ port: 80, nodePort: 30080 })] })
  const units = added([node, PODS])
  expect(starting(units, 'server', 'member KUBE-NODE-PORT', 'address')).toEqual([
    'address 10.96.0.10',
    'member KUBE-NODE-PORT-IP 10.244.1.1,tcp:30080',
    'member KUBE-NODE-PORT-IP 10.99.0.2,tcp:30080',
    'member KUBE-NODE-PORT-TCP 30080',
    'server tcp 10.244.1.1:30080: -s rr',
    'server tcp 10.96.0.10:80: -s rr',
    'server tcp 10.99.0.2:30080: -s rr',
  ])
})

test("an external IP that is the node's own is not bound to our device, where taking it away would cut the node off", () => {
  const units = added([service('shop/cart', ['10.96.0.10'], { externalIPs: [ip('10.99.0.2')] }), PODS])
  expect(starting(units, 'address', 'member KUBE-IPVS-IPS')).toEqual([
    'address 10.96.0.10',
    'member KUBE-IPVS-IPS 10.96.0.10',
  ])
  expect(units).toContain('member KUBE-NODE-PORT-IP 10.99.0.2,tcp:80')
})

test('clients that are to stay do so by persistence; Maglev looks at their ports, too', () => {
  const sticky = service('shop/cart', ['10.96.0.10'], { stickySeconds: 10_800 })
  expect(added([sticky, PODS])).toContain('server tcp 10.96.0.10:80: -s rr -p 10800')
  expect(added([sticky, PODS], 'ipv4', modeOf('ipv4', 'mh'))).toContain(
    'server tcp 10.96.0.10:80: -s mh -p 10800 -b mh-port',
  )
})

test('an endpoint that leaves lingers where it has clients, and is not made anew where it is gone', () => {
  const leaving = slice('shop/a', 'shop/cart', [
    endpoint('10.244.1.2', { ...HERE, ready: false, terminating: true }),
    endpoint('10.244.2.3'),
  ])
  expect(starting(added([CART, leaving]), 'real')).toEqual([
    'real tcp 10.96.0.10:80 10.244.1.2:8080: lingering',
    'real tcp 10.96.0.10:80 10.244.2.3:8080: -m -w 1',
  ])
})

test('UDP forgets an endpoint that no longer serves: the kernel cannot see when such a client has finished', () => {
  const dns = service('shop/cart', ['10.96.0.10'], { ports: [port({ port: 53, protocol: 'udp' })] })
  const conditions = { ...HERE, ready: false, serving: false, terminating: true }
  const pods = [endpoint('10.244.1.2', conditions), endpoint('10.244.2.3')]
  const slices = slice('shop/a', 'shop/cart', pods, { ports: [slicePort(5353, '', 'udp')] })
  expect(starting(added([dns, slices]), 'real')).toEqual(['real udp 10.96.0.10:53 10.244.2.3:5353: -m -w 1'])
})

test('source ranges are members: the guarded frontend, each range, and the own addresses of a node within', () => {
  const balancer = service('shop/cart', ['10.96.0.10'], {
    type: 'LoadBalancer',
    loadBalancerIPs: [ip('198.18.0.8'), ip('198.18.0.9')],
    sourceRanges: [cidr('10.99.0.0/24'), cidr('203.0.113.7/32')],
  })
  const view = { kind: 'Node', name: 'here', addresses: [ip('10.99.0.2')], podCIDRs: [], labels: {}, taints: [] }
  const units = added([balancer, PODS, view as never])
  expect(starting(units, 'member KUBE-LOAD-BALANCER')).toEqual([
    'member KUBE-LOAD-BALANCER 198.18.0.8,tcp:80',
    'member KUBE-LOAD-BALANCER 198.18.0.9,tcp:80',
    'member KUBE-LOAD-BALANCER-FW 198.18.0.8,tcp:80',
    'member KUBE-LOAD-BALANCER-FW 198.18.0.9,tcp:80',
    'member KUBE-LOAD-BALANCER-SOURCE-CIDR 198.18.0.8,tcp:80,10.99.0.0/24',
    'member KUBE-LOAD-BALANCER-SOURCE-CIDR 198.18.0.8,tcp:80,203.0.113.7',
    'member KUBE-LOAD-BALANCER-SOURCE-CIDR 198.18.0.9,tcp:80,10.99.0.0/24',
    'member KUBE-LOAD-BALANCER-SOURCE-CIDR 198.18.0.9,tcp:80,203.0.113.7',
    'member KUBE-LOAD-BALANCER-SOURCE-IP 198.18.0.8,tcp:80,198.18.0.8',
    'member KUBE-LOAD-BALANCER-SOURCE-IP 198.18.0.8,tcp:80,198.18.0.9',
    'member KUBE-LOAD-BALANCER-SOURCE-IP 198.18.0.9,tcp:80,198.18.0.8',
    'member KUBE-LOAD-BALANCER-SOURCE-IP 198.18.0.9,tcp:80,198.18.0.9',
  ])
})

test('where policy is Local and this node has no endpoint, the frontend is closed to clients outside, and leads on for pods', () => {
  const local = service('shop/cart', ['10.96.0.10'], {
    type: 'NodePort',
    externalPolicy: 'Local',
    ports: [port({ port: 80, nodePort: 30080 })],
  })
  const far = slice('shop/a', 'shop/cart', [endpoint('10.244.2.3')])
  const units = added([local, far])
  expect(units).toContain('member KUBE-DROP-OUTSIDE 10.99.0.2,tcp:30080')
  expect(units).toContain('real tcp 10.99.0.2:30080 10.244.2.3:8080: -m -w 1')
})

test('names of IPv6 sets are cut off where the kernel would not take more, as kube-proxy cuts them', () => {
  const balancer = service('shop/cart', ['fd10:96::10'], {
    type: 'LoadBalancer',
    loadBalancerIPs: [ip('fd00:198:18::8')],
    sourceRanges: [cidr('2001:db8::/32')],
  })
  const pods = slice('shop/a', 'shop/cart', [endpoint('fd00:244:1::2', HERE)])
  expect(added([balancer, pods], 'ipv6')).toContain(
    'member KUBE-6-LOAD-BALANCER-SOURCE-CID fd00:198:18::8,tcp:80,2001:db8::/32',
  )
})
