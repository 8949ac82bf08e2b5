import fc from 'fast-check'
import type { Packet } from '#proxy/modes/trace.ts'
import { type Address, type Family, familyOf, hostPort } from '#values/address.ts'
import { PROTOCOLS, type Protocol } from '#values/protocol.ts'
import { ip } from '../support/objects.ts'
import { addressesOf, BALANCERS, EXTERNALS, type World } from './worlds.ts'

// A world → packets to its frontends, and to addresses beside them, from every possible source.

type Origin = Pick<Packet, 'from' | 'via'>
type Goal = Pick<Packet, 'to' | 'port' | 'protocol'>

/** Plain numbers, so that a failure shrinks to few packets; each selects one of the world's choices. */
interface Dice {
  readonly origin: number
  readonly goal: number
  readonly endpoint: number
  readonly secondsAgo: number | undefined
  readonly family: Family
  readonly twist: 'none' | 'port' | 'protocol'
}

const number = fc.nat({ max: 10_000 })

const dice: fc.Arbitrary<Dice> = fc.record({
  origin: number,
  goal: number,
  endpoint: number,
  secondsAgo: fc.constantFrom(undefined, 5, 60, 61, 20_000),
  family: fc.constantFrom<Family[]>('ipv4', 'ipv4', 'ipv6'),
  twist: fc.constantFrom<Dice['twist'][]>(...Array<'none'>(18).fill('none'), 'port', 'protocol'),
})

export const throws: fc.Arbitrary<readonly Dice[]> = fc.noBias(
  fc.array(dice, { minLength: 1, maxLength: 16, size: 'max' }),
)

export function packetOf(world: World, { origin, goal, endpoint, secondsAgo, family, twist }: Dice): Packet {
  const { from, via } = pick(origins(world, family), origin)
  const { real, odd } = goals(world, family)
  const aim = goal % 5 === 0 || real.length === 0 ? pick(odd, goal) : pick(real, goal)
  const known = endpointTexts(world, family)
  const last = secondsAgo !== undefined && known.length > 0 && { endpoint: pick(known, endpoint), secondsAgo }
  return {
    from,
    via,
    to: aim.to,
    port: twist === 'port' ? aim.port + 1 : aim.port,
    protocol: twist === 'protocol' ? other(aim.protocol) : aim.protocol,
    nodeAddresses: addressesOf(world, family),
    ...(last && { last }),
  }
}

function origins(world: World, family: Family): readonly Origin[] {
  const through =
    (iface: string) =>
    (from: Address): Origin => ({ from, via: { hook: 'prerouting', iface } })
  const pods = world.pods.filter(({ place }) => place !== 'on the node')
  const here = pods.filter(({ place }) => place === 'here').map(pod => pod.ips[family])
  const there = pods.filter(({ place }) => place === 'there').map(pod => pod.ips[family])
  const outside = (family === 'ipv4' ? ['10.99.0.1', '203.0.113.7', '192.0.2.9'] : ['fd00:99::1', '2001:db8::7']).map(
    ip,
  )
  const balancers = BALANCERS.filter(address => familyOf(address) === family && !world.addresses.includes(address))
  return [
    ...here.map(through('cni0')),
    ...there.map(through('eth0')),
    ...[...outside, ...balancers].map(through('eth0')),
    ...addressesOf(world, family).map((from): Origin => ({ from, via: { hook: 'output' } })),
  ]
}

/** `real`: every frontend of the world; `odd`: addresses and ports that are none, or may be none. */
function goals(world: World, family: Family): { readonly real: readonly Goal[]; readonly odd: readonly Goal[] } {
  const services = world.objects.filter(object => object.kind === 'Service')
  const own = [...addressesOf(world, family), ip(family === 'ipv4' ? '127.0.0.5' : '::1')]
  const external = [...EXTERNALS, ...BALANCERS].filter(address => familyOf(address) === family)
  const odd = services.flatMap(({ ports, healthCheckNodePort = 31_001 }) => [
    { to: own[0]!, port: healthCheckNodePort, protocol: 'tcp' as const },
    { to: world.pods[0]!.ips[family], port: ports[0]!.port + 8000, protocol: ports[0]!.protocol },
    ...external.map((to): Goal => ({ to, port: ports[0]!.port, protocol: ports[0]!.protocol })),
  ])
  const real = services.flatMap(({ clusterIPs, externalIPs, loadBalancerIPs, ports }) => {
    const addresses = [...clusterIPs, ...externalIPs, ...loadBalancerIPs].filter(
      address => familyOf(address) === family,
    )
    return ports.flatMap(({ protocol, port, nodePort }) => [
      ...[...addresses, ...addresses].map((to): Goal => ({ to, port, protocol })),
      ...(nodePort === undefined ? [] : own.map((to): Goal => ({ to, port: nodePort, protocol }))),
    ])
  })
  return { real, odd }
}

function endpointTexts(world: World, family: Family): readonly string[] {
  const slices = world.objects.filter(object => object.kind === 'EndpointSlice' && object.family === family)
  return slices.flatMap(slice =>
    slice.kind !== 'EndpointSlice'
      ? []
      : slice.endpoints.flatMap(endpoint => slice.ports.map(({ port }) => hostPort(endpoint.ip, port))),
  )
}

function other(protocol: Protocol): Protocol {
  return pick(PROTOCOLS, PROTOCOLS.indexOf(protocol) + 1)
}

function pick<T>(all: readonly T[], n: number): T {
  return all[n % all.length]!
}
