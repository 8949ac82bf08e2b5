import fc from 'fast-check'
import type { ClusterObject, EndpointSlice, Node, Service } from '#kubernetes/objects.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { Protocol } from '#values/protocol.ts'
import type { DetectLocal, Flags } from '../support/flags.ts'
import { cidr, ip, node, port, service, slice, slicePort } from '../support/objects.ts'
import { type Pod, pods } from './pods.ts'

// Random numbers → clusters as odd as the API allows: few names, addresses and ports, so that Services often collide.

export interface World {
  readonly flags: Flags
  readonly dispatch: 'flat' | 'tree'
  readonly objects: readonly ClusterObject[]
  readonly pods: readonly Pod[]
  /** The addresses of the node's interfaces. */
  readonly addresses: readonly Address[]
}

export const EXTERNALS = ['198.18.0.1', '198.18.0.2', '10.99.0.2', '10.96.0.1', 'fd00:198::1', 'fd10:96::1'].map(ip)
export const BALANCERS = ['198.18.1.1', '198.18.1.2', '198.18.0.1', 'fd00:198::1:1', 'fd00:198::1:2'].map(ip)
const RANGES = [
  '10.99.0.0/24',
  '203.0.113.0/24',
  '10.244.1.0/24',
  '198.18.1.1/32',
  '0.0.0.0/0',
  'fd00:99::/64',
  '::/0',
].map(cidr)
const ADDRESSES = [
  ...['127.0.0.1', '10.99.0.2', '10.99.0.22', '10.244.1.1', '::1', 'fd00:99::2', 'fd00:99::22', 'fd00:244:1::1'],
].map(ip)

const often = (weight: number): fc.Arbitrary<boolean> => fc.integer({ min: 1, max: 100 }).map(n => n > 100 - weight)
const some = <T>(all: readonly T[], most = all.length): fc.Arbitrary<readonly T[]> =>
  fc.subarray([...all], { maxLength: most })

interface PortPlan {
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
}

const PORTS: readonly PortPlan[] = [
  { name: 'http', protocol: 'tcp', port: 80 },
  { name: 'dns', protocol: 'udp', port: 53 },
  { name: 'dns', protocol: 'tcp', port: 53 },
  { name: 'quic', protocol: 'udp', port: 80 },
  { name: 'sig', protocol: 'sctp', port: 80 },
  { name: 'alt', protocol: 'tcp', port: 81 },
]
const NAMES = ['shop/a', 'shop/a-b', 'shop/b', 'web/a', 'web/z']
const NODE_PORTS = [30080, 30081, 30082]

const DUAL: Family[] = ['ipv4', 'ipv6']
const families = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom<Family[][]>(['ipv4'], DUAL, DUAL, ['ipv6', 'ipv4'], ['ipv6']) },
  { weight: 1, arbitrary: fc.constant<Family[]>([]) },
)
const policy = fc.constantFrom<('Cluster' | 'Local')[]>('Cluster', 'Local')

/** Within one Service, a node port may be used once per protocol. */
function withNodePorts(plans: readonly PortPlan[], numbers: readonly (number | undefined)[], nameless: boolean) {
  const taken = new Set<string>()
  return plans.map((plan, i) => {
    const number = numbers[i]
    const key = `${plan.protocol} ${number}`
    const isFree = number !== undefined && !taken.has(key)
    taken.add(key)
    return port({ ...plan, ...(nameless && plans.length === 1 && { name: '' }), ...(isFree && { nodePort: number }) })
  })
}

const servicePorts = fc
  .tuple(
    fc.subarray([...PORTS], { minLength: 1, maxLength: 3 }),
    fc.array(fc.option(fc.constantFrom(...NODE_PORTS), { nil: undefined }), { minLength: 3, maxLength: 3 }),
    fc.boolean(),
  )
  .map(([plans, numbers, nameless]) => withNodePorts(plans, numbers, nameless))

function serviceOf(called: string, n: number): fc.Arbitrary<Service> {
  return fc
    .record({
      families,
      created: fc.integer({ min: 0, max: 2 }),
      type: fc.constantFrom<Service['type'][]>('ClusterIP', 'NodePort', 'LoadBalancer', 'LoadBalancer', 'NodePort'),
      isName: often(3),
      ports: servicePorts,
      stickySeconds: fc.constantFrom(undefined, undefined, 60, 10_800),
      externalPolicy: policy,
      internalPolicy: fc.constantFrom<('Cluster' | 'Local')[]>('Cluster', 'Cluster', 'Local'),
      externalIPs: fc.oneof(fc.constant([]), some(EXTERNALS, 2)),
      loadBalancerIPs: fc.oneof(fc.constant([]), some(BALANCERS, 3)),
      sourceRanges: fc.oneof(fc.constant([]), some(RANGES, 2)),
      healthCheckNodePort: fc.constantFrom(undefined, 31_000),
    })
    .map(({ families, isName, stickySeconds, healthCheckNodePort, type, ...rest }) => {
      const ips = { ipv4: `10.96.0.${n + 1}`, ipv6: `fd10:96::${n + 1}` }
      return service(
        called,
        families.map(family => ips[family]),
        {
          ...rest,
          type: isName ? 'ExternalName' : type,
          ...(stickySeconds !== undefined && { stickySeconds }),
          ...(healthCheckNodePort !== undefined && { healthCheckNodePort }),
        },
      )
    })
}

interface Condition {
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
}

const CONDITIONS: readonly Condition[] = [
  { ready: true, serving: true, terminating: false },
  { ready: false, serving: true, terminating: true },
  { ready: false, serving: false, terminating: true },
  { ready: false, serving: true, terminating: false },
  { ready: false, serving: false, terminating: false },
  { ready: true, serving: true, terminating: true },
  { ready: true, serving: false, terminating: false },
]
const condition = fc.oneof(
  { weight: 5, arbitrary: fc.constant(CONDITIONS[0]!) },
  { weight: 4, arbitrary: fc.constantFrom(...CONDITIONS) },
)

/** Mostly slices that have every port under every name; a few have only some ports. */
function sliceOf(
  n: number,
  { pods, names }: { pods: readonly Pod[]; names: readonly string[] },
): fc.Arbitrary<EndpointSlice> {
  return fc
    .record({
      of: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(...names) },
        { weight: 1, arbitrary: fc.constantFrom(...NAMES) },
      ),
      family: fc.constantFrom<Family[]>('ipv4', 'ipv4', 'ipv6'),
      plans: fc.oneof({ weight: 5, arbitrary: fc.constant([...PORTS]) }, { weight: 1, arbitrary: some(PORTS) }),
      shift: fc.constantFrom(0, 0, 0, 1),
      nameless: often(85),
      members: fc.array(fc.tuple(fc.constantFrom(...pods), condition), { minLength: 1, maxLength: 5, size: 'max' }),
    })
    .map(({ of, family, plans, shift, nameless, members }) => {
      const endpoints = members.map(([pod, states]) => ({ ip: pod.ips[family], ...states, ...pod.about }))
      const ports = plans.map(plan => slicePort(plan.port + 8000 + shift, plan.name, plan.protocol))
      const bare = nameless ? [slicePort(9000, '', 'tcp'), slicePort(9000, '', 'udp'), slicePort(9000, '', 'sctp')] : []
      return slice(`${of.split('/')[0]}/s${n}`, of, endpoints, { family, ports: [...ports, ...bare] })
    })
}

const detectLocal = fc.constantFrom<DetectLocal[]>(
  { by: 'cluster-cidr', cidrs: [cidr('10.244.0.0/16'), cidr('fd00:244::/32')] },
  { by: 'cluster-cidr', cidrs: [cidr('10.244.1.0/24')] },
  { by: 'cluster-cidr', cidrs: [] },
  { by: 'node-cidr' },
  { by: 'bridge', name: 'cni0' },
  { by: 'prefix', prefix: 'cni' },
)

const nodePortAddresses = fc.oneof(
  fc.constant<readonly Cidr[]>([]),
  fc.constant<readonly Cidr[]>([]),
  fc.constant<'primary'>('primary'),
  some(
    [
      '10.99.0.0/24',
      '10.99.0.22/32',
      '127.0.0.0/8',
      '127.0.0.1/32',
      '10.0.0.0/8',
      '0.0.0.0/0',
      'fd00:99::22/128',
      '::/0',
      '::1/128',
    ].map(cidr),
    2,
  ),
)

const flags: fc.Arbitrary<Flags> = fc.record({
  nodeName: fc.constant('here'),
  localPods: detectLocal,
  masqueradeAll: often(20),
  nodePortAddresses,
  localhostNodePorts: fc.boolean(),
  masqueradeBit: fc.constantFrom(14, 14, 0, 31),
})

const plainNode = fc
  .record({
    zone: fc.constantFrom(undefined, 'a', 'b'),
    addresses: fc.constantFrom(['10.99.0.2', 'fd00:99::2'], ['10.99.0.2'], ['fd00:99::2', '10.99.0.22'], []),
    podCIDRs: fc.constantFrom(['10.244.1.0/24', 'fd00:244:1::/64'], ['10.244.1.0/24'], []),
  })
  .map(({ zone, addresses, podCIDRs }) =>
    node('here', { addresses: addresses.map(ip), podCIDRs: podCIDRs.map(cidr), ...(zone !== undefined && { zone }) }),
  )
const nodes: fc.Arbitrary<readonly Node[]> = fc.oneof(
  { weight: 8, arbitrary: plainNode.map(here => [here]) },
  { weight: 1, arbitrary: fc.constant([]) },
)

const services = fc.tuple(...NAMES.map(serviceOf))
const extras = fc.constantFrom<Address[][]>([], [], [ip('198.18.1.1')], [ip('198.18.0.2'), ip('fd00:198::1:1')])

const anyWorld: fc.Arbitrary<World> = fc.tuple(pods, fc.subarray(NAMES, { minLength: 1 })).chain(([pods, names]) => {
  const slices = fc.tuple(...Array.from({ length: 14 }, (_, n) => sliceOf(n, { pods, names })))
  return fc
    .record({
      flags,
      dispatch: fc.constantFrom('flat' as const, 'tree' as const),
      nodes,
      services,
      slices,
      count: fc.constantFrom(0, 1, 2, 4, 7, 10, 14, 14),
      extras,
    })
    .map(({ flags, dispatch, nodes, services, slices, count, extras }) => ({
      flags,
      dispatch,
      pods,
      addresses: [...ADDRESSES, ...extras],
      objects: [...nodes, ...services.filter(({ name }) => names.includes(name)), ...slices.slice(0, count)],
    }))
})

/** Without fast-check's bias to small numbers and short lists: an empty cluster proves little. */
export const worlds: fc.Arbitrary<World> = fc.noBias(anyWorld)

export function addressesOf(world: World, family: Family): readonly Address[] {
  return world.addresses.filter(address => familyOf(address) === family)
}
