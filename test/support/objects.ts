import type { EndpointSlice, Node, Service, ServicePortSpec, SliceEndpoint, SlicePort } from '#kubernetes/objects.ts'
import type { Address } from '#values/address.ts'
import { familyOf, parseAddress } from '#values/address.ts'
import { type Cidr, parseCidr } from '#values/cidr.ts'
import { type ObjectName, parseObjectName, parsePortName } from '#values/names.ts'
import type { Protocol } from '#values/protocol.ts'

// Short constructors for the objects that tests use.

export function ip(text: string): Address {
  return given(parseAddress(text), text)
}

export function cidr(text: string): Cidr {
  return given(parseCidr(text), text)
}

export function name(text: string): ObjectName {
  const [namespace, rest] = text.includes('/') ? text.split('/') : [undefined, text]
  return given(parseObjectName(namespace, rest), text)
}

export function port(spec: { name?: string; protocol?: Protocol; port: number; nodePort?: number }): ServicePortSpec {
  const { nodePort } = spec
  return {
    name: given(parsePortName(spec.name ?? ''), spec.name),
    protocol: spec.protocol ?? 'tcp',
    port: spec.port,
    ...(nodePort !== undefined && { nodePort }),
  }
}

export function service(called: string, ips: readonly string[], more: Partial<Service> = {}): Service {
  return {
    kind: 'Service',
    name: name(called),
    uid: called,
    created: 0,
    type: 'ClusterIP',
    clusterIPs: ips.map(ip),
    ports: [port({ port: 80 })],
    externalPolicy: 'Cluster',
    internalPolicy: 'Cluster',
    externalIPs: [],
    loadBalancerIPs: [],
    sourceRanges: [],
    ...more,
  }
}

export function endpoint(address: string, more: Partial<SliceEndpoint> = {}): SliceEndpoint {
  return { ip: ip(address), ready: true, serving: true, terminating: false, ...more }
}

export function slice(
  called: string,
  of: string,
  endpoints: readonly SliceEndpoint[],
  more: Partial<EndpointSlice> = {},
): EndpointSlice {
  const first = endpoints[0]
  return {
    kind: 'EndpointSlice',
    name: name(called),
    service: name(of),
    family: first === undefined ? 'ipv4' : familyOf(first.ip),
    ports: [slicePort(8080)],
    endpoints,
    ...more,
  }
}

export function slicePort(number: number, called = '', protocol: Protocol = 'tcp'): SlicePort {
  return { name: given(parsePortName(called), called), protocol, port: number }
}

export function node(called: string, more: Partial<Node> = {}): Node {
  return {
    kind: 'Node',
    name: name(called),
    uid: called,
    addresses: [],
    podCIDRs: [],
    deleting: false,
    taints: [],
    ...more,
  }
}

function given<T>(value: T | undefined, text: unknown): T {
  if (value === undefined) throw new Error(`a test wrote ${JSON.stringify(text)}, which is not valid`)
  return value
}
