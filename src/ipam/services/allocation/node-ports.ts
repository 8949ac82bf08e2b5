import { hasHealthCheckPort, hasNodePorts, nodePortsOf, type ServiceSpec, type SpecPort } from '../spec/service-spec.ts'
import type { ServicePool } from './pool.ts'
import { AllocationRefused, invalidValue, refuseWith } from './refused.ts'

// The ports of a Service → the same with node ports, and the port for health checks, drawn from the pool. A number it had is
// its own and is not asked for again.

export function withNodePorts(spec: ServiceSpec, before: ServiceSpec | undefined, pool: ServicePool): ServiceSpec {
  const own = new Set(before === undefined ? [] : nodePortsOf(before))
  const ports = hasNodePorts(spec) ? { ports: allocatedPorts(spec, own, { pool, isNew: before === undefined }) } : {}
  return withHealthCheckPort({ ...spec, ...ports }, before, pool)
}

interface Allocation {
  readonly pool: ServicePool
  /** Two ports of one number (TCP and UDP) get one node port when the Service is made, as with kube-apiserver; later each its own. */
  readonly isNew: boolean
}

function allocatedPorts(spec: ServiceSpec, own: ReadonlySet<number>, { pool, isNew }: Allocation): readonly SpecPort[] {
  const { ports = [] } = spec
  const claimed = new Set(own)
  const byPort = new Map<number, number>()
  return ports.map((port, i) => {
    if (!port.nodePort && !givesNodePorts(spec)) return port
    const asked = port.nodePort || (isNew ? (byPort.get(port.port) ?? askedFor(port.port, ports)) : undefined)
    const nodePort = asked ?? next(pool, 'failed to allocate a nodePort')
    if (asked !== undefined && !claimed.has(asked)) claim(pool, i, asked)
    claimed.add(nodePort)
    if (!byPort.has(port.port)) byPort.set(port.port, nodePort)
    return { ...port, nodePort }
  })
}

/** A later port of the same number may name the node port of both. */
function askedFor(number: number, ports: readonly SpecPort[]): number | undefined {
  return ports.find(({ port, nodePort }) => port === number && nodePort)?.nodePort
}

function claim(pool: ServicePool, i: number, nodePort: number): void {
  const outcome = pool.claimPort(nodePort)
  if (!outcome.ok) refuseWith([invalidValue(`spec.ports[${i}].nodePort`, nodePort, outcome.problem)])
}

function next(pool: ServicePool, what: string): number {
  const outcome = pool.nextPort()
  if (!outcome.ok) throw new AllocationRefused({ internal: `${what}: ${outcome.problem}` })
  return outcome.value
}

function givesNodePorts({ type, allocateLoadBalancerNodePorts = true }: ServiceSpec): boolean {
  return type === 'NodePort' || allocateLoadBalancerNodePorts
}

function withHealthCheckPort(spec: ServiceSpec, before: ServiceSpec | undefined, pool: ServicePool): ServiceSpec {
  if (!hasHealthCheckPort(spec) || (before !== undefined && hasHealthCheckPort(before))) return spec
  const asked = spec.healthCheckNodePort
  if (!asked) return { ...spec, healthCheckNodePort: next(pool, 'failed to allocate a HealthCheck NodePort 0') }
  const outcome = pool.claimPort(asked)
  if (outcome.ok) return spec
  const internal = `failed to allocate requested HealthCheck NodePort ${asked}: ${outcome.problem}`
  throw new AllocationRefused({ internal })
}
