import type { ClusterObject } from '#kubernetes/objects.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Family } from '#values/address.ts'
import { cidr, endpoint, ip, port, service, slice, slicePort } from '../../../support/objects.ts'

// One Service of every kind that nftables mode has words for. What nft listed of them is in fixtures/saves.

const WORDS = {
  ipv4: {
    service: (n: number) => `10.96.0.${n}`,
    outward: (n: number) => `198.18.0.${n}`,
    pod: (n: number) => `10.244.1.${n}`,
    far: '10.244.2.2',
    ranges: ['203.0.113.0/24', '203.0.113.7/32', '10.99.0.0/24'],
    services: '10.96.0.0/12',
    real: ['10.99.0.0/24', '10.97.0.7/32'],
    nodeIP: '10.99.0.2',
  },
  ipv6: {
    service: (n: number) => `fd10:96::${n}`,
    outward: (n: number) => `fd00:198:18::${n}`,
    pod: (n: number) => `fd00:244:1::${n}`,
    far: 'fd00:244:2::2',
    ranges: ['2001:db8::/32', '2001:db8::7/128', 'fd00:99::/64'],
    services: 'fd10:96::/112',
    real: ['fd10:96::1000/116', 'fd10:96::7/128'],
    nodeIP: 'fd00:99::2',
  },
} as const

export function viewOfEveryKind(family: Family): Partial<NodeView> {
  const { services, real, nodeIP } = WORDS[family]
  return { serviceRanges: [cidr(services)], reachable: real.map(cidr), nodeIP: ip(nodeIP) }
}

export function everyKind(family: Family): readonly ClusterObject[] {
  const { service: at, outward, pod, far, ranges } = WORDS[family]
  const here = endpoint(pod(2), { nodeName: 'here' })
  const there = endpoint(far)
  const behind = (name: string, ends = [here, there], ports = [slicePort(8080)]) =>
    slice(`${name}-1`, name, ends, { family, ports })
  return [
    service('shop/plain', [at(10)], { ports: [port({ port: 80, nodePort: 30080 })], externalIPs: [ip(outward(1))] }),
    behind('shop/plain'),
    service('shop/names', [at(11)], {
      ports: [port({ name: 'dns', port: 53, protocol: 'udp' }), port({ name: 'sig', port: 2905, protocol: 'sctp' })],
    }),
    behind('shop/names', [here], [slicePort(5353, 'dns', 'udp'), slicePort(2905, 'sig', 'sctp')]),
    service('shop/sticky', [at(12)], { stickySeconds: 10_800, ports: [port({ port: 80, nodePort: 30081 })] }),
    behind('shop/sticky'),
    service('shop/local', [at(13)], {
      type: 'LoadBalancer',
      externalPolicy: 'Local',
      loadBalancerIPs: [ip(outward(2))],
      sourceRanges: ranges.map(cidr),
    }),
    behind('shop/local'),
    service('shop/local-elsewhere', [at(14)], {
      internalPolicy: 'Local',
      externalPolicy: 'Local',
      ports: [port({ port: 80, nodePort: 30082 })],
    }),
    behind('shop/local-elsewhere', [there]),
    service('shop/empty', [at(15)], { ports: [port({ port: 80, nodePort: 30083 })], externalIPs: [ip(outward(3))] }),
  ]
}
