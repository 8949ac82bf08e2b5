import {
  hasClusterIP,
  hasHealthCheckPort,
  hasNodePorts,
  nodePortsOf,
  type ServiceSpec,
  type SpecPort,
} from './service-spec.ts'

// A Service as its owner sends it again → the same, with what was allocated for it: a client that applies an old file keeps address
// and ports, and a change of type drops what the new type has no use for.

export function kept(sent: ServiceSpec, before: ServiceSpec | undefined): ServiceSpec {
  if (before === undefined) return withListedIPs(sent)
  return withListedIPs(withAllocated(dropped(withClusterIPs(sent, before), before), before))
}

/** A creation may name clusterIP alone, and old Services have nothing else. */
export function withListedIPs(spec: ServiceSpec): ServiceSpec {
  const { clusterIP, clusterIPs = [] } = spec
  return clusterIP && clusterIPs.length === 0 && hasClusterIP(spec) ? { ...spec, clusterIPs: [clusterIP] } : spec
}

/** A client that knows nothing of clusterIPs changes clusterIP alone. */
function withClusterIPs(sent: ServiceSpec, before: ServiceSpec): ServiceSpec {
  const { clusterIP = '', clusterIPs = [] } = sent
  const isOld = clusterIPs.length > 0 && sameList(clusterIPs, before.clusterIPs)
  if (clusterIP === (before.clusterIP ?? '')) return sent
  if (clusterIP === '') return isOld ? without(sent, 'clusterIPs') : sent
  return isOld || clusterIPs.length === 0 ? { ...sent, clusterIPs: [clusterIP] } : sent
}

function dropped(sent: ServiceSpec, before: ServiceSpec): ServiceSpec {
  let spec = sent
  if (hasClusterIP(before) && !hasClusterIP(spec)) {
    const isSame = (spec.clusterIP ?? '') === (before.clusterIP ?? '') && sameList(spec.clusterIPs, before.clusterIPs)
    if (isSame) spec = without(spec, 'clusterIP', 'clusterIPs')
    if (sameList(spec.ipFamilies, before.ipFamilies)) spec = without(spec, 'ipFamilies')
    if (spec.ipFamilyPolicy === before.ipFamilyPolicy) spec = without(spec, 'ipFamilyPolicy')
  }
  if (hasNodePorts(before) && !hasNodePorts(spec)) spec = withoutNodePorts(spec, before)
  if (hasHealthCheckPort(before) && !hasHealthCheckPort(spec)) {
    if (spec.healthCheckNodePort === before.healthCheckNodePort) spec = without(spec, 'healthCheckNodePort')
  }
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts)
      spec = without(spec, 'allocateLoadBalancerNodePorts')
  }
  return spec
}

/** Where a new one was asked for, all are left, so that the request is refused and not half done. */
function withoutNodePorts(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  const old = new Set(nodePortsOf(before))
  if (spec.ports === undefined || nodePortsOf(spec).some(port => !old.has(port))) return spec
  return { ...spec, ports: spec.ports.map(port => without(port, 'nodePort')) }
}

function withAllocated(sent: ServiceSpec, before: ServiceSpec): ServiceSpec {
  let spec = sent
  if (hasClusterIP(before) && hasClusterIP(spec)) {
    if (!spec.clusterIP && before.clusterIP !== undefined) spec = { ...spec, clusterIP: before.clusterIP }
    const { clusterIPs: known = [] } = before
    if ((spec.clusterIPs ?? []).length === 0 && known.length > 0) spec = { ...spec, clusterIPs: known }
  }
  if (hasNodePorts(before) && hasNodePorts(spec)) spec = { ...spec, ports: withNodePorts(spec, before) }
  const { healthCheckNodePort } = before
  if (hasHealthCheckPort(before) && hasHealthCheckPort(spec) && !spec.healthCheckNodePort && healthCheckNodePort)
    spec = { ...spec, healthCheckNodePort }
  return spec
}

/** By the port's name: all else of it may have changed. */
function withNodePorts({ ports = [] }: ServiceSpec, before: ServiceSpec): readonly SpecPort[] {
  const sent = new Set(ports.flatMap(({ nodePort }) => nodePort || []))
  const known = new Map((before.ports ?? []).map(({ name = '', nodePort = 0 }) => [name, nodePort]))
  return ports.map(port => {
    const nodePort = port.nodePort || known.get(port.name ?? '') || 0
    return port.nodePort || nodePort === 0 || sent.has(nodePort) ? port : { ...port, nodePort }
  })
}

function sameList(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i])
}

function without<T extends object, K extends keyof T>(from: T, ...fields: readonly K[]): T {
  return Object.fromEntries(Object.entries(from).filter(([field]) => !fields.includes(field as K))) as T
}
