import type { KnownPod } from '#explain/names/directory.ts'
import { portList } from '#explain/names/resolved.ts'
import type { Node } from '#kubernetes/objects.ts'
import { isOwn } from '#proxy/modes/trace.ts'
import { contains } from '#values/cidr.ts'
import { type AskedCluster, type AskedPacket, servicesAt } from './found.ts'
import type { Reason } from './reasons.ts'

// A packet that goes to no frontend → what its address is, in words.

export interface KnownAround {
  readonly nodes: readonly Node[]
  /** Undefined where they are not known. */
  readonly pods: readonly KnownPod[] | undefined
  /** Addresses with a lease on this node; undefined where that is not known. */
  readonly leased: ReadonlySet<string> | undefined
}

export function nothingThere(asked: AskedCluster, packet: AskedPacket, around: KnownAround): Reason | undefined {
  return ofService(asked, packet) ?? ofNode(asked, packet, around) ?? ofPod(asked, packet, around)
}

function ofService({ cluster }: AskedCluster, packet: AskedPacket): Reason | undefined {
  const { to, port, protocol } = packet
  const services = servicesAt(cluster, packet)
  const unserved = services.find(({ ports }) => ports.some(one => one.port === port && one.protocol === protocol))
  if (unserved !== undefined) {
    const text = `${to} is an address of Service ${unserved.name}, which has no cluster IP of the same family: no rules lead there`
    return { code: 'not-a-service', text }
  }
  const [service] = services
  if (service !== undefined) {
    const text = `${to} is an address of Service ${service.name}, which has no port ${port}/${protocol}; it has ${portList(service.ports)}`
    return { code: 'port-not-named', text }
  }
  const range = cluster.serviceRanges.find(one => contains(one, to))
  if (range === undefined) return undefined
  const text = `${to} is in the range of Services, ${range}, and no Service has it: the address was never given, or its Service is gone`
  return { code: 'address-never-given', text }
}

function ofNode({ cluster }: AskedCluster, packet: AskedPacket, around: KnownAround) {
  const { to, port, protocol } = packet
  const node = around.nodes.find(({ addresses }) => addresses.includes(to))
  if (node === undefined && !isOwn(to, packet)) return undefined
  const named = node === undefined ? 'this node' : `node ${node.name}`
  const holder = [...cluster.services()].find(({ ports }) =>
    ports.some(one => one.nodePort === port && one.protocol === protocol),
  )
  const text =
    holder === undefined
      ? `${to} is an address of ${named}, and no Service has ${port}/${protocol} as its node port: a program of the node may listen there`
      : `${to} is an address of ${named}; ${port}/${protocol} is a node port of ${holder.name}, which does not answer at this address here`
  return { code: 'not-a-service', text } as const
}

/** What a range has and no pod is an address that was never given. */
function ofPod(
  { thisNode }: AskedCluster,
  { to }: AskedPacket,
  { nodes, pods, leased }: KnownAround,
): Reason | undefined {
  const pod = pods?.find(one => one.addresses.includes(to) && !one.isFinished)
  if (pod !== undefined) {
    const text = `${to} is no address of a Service but that of pod ${pod.pod}: it goes there by routes alone`
    return { code: 'not-a-service', text }
  }
  const node = nodes.find(({ podCIDRs }) => podCIDRs.some(range => contains(range, to)))
  if (node === undefined)
    return { code: 'not-a-service', text: `${to} is no address of a Service, a node or a pod that is known` }
  const isHere = node.name === thisNode.nodeName
  if (pods !== undefined || (isHere && leased !== undefined && !leased.has(to))) {
    const text = `${to} is in the range of pods of node ${node.name}, and no pod has it: the address was never given, or its pod is gone`
    return { code: 'address-never-given', text }
  }
  const text = `${to} is no address of a Service; it is in the range of pods of node ${node.name}, and goes there by routes alone`
  return { code: 'not-a-service', text }
}
