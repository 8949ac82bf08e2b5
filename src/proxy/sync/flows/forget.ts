import type { FrontendFlows, PendingFlows } from '#proxy/desired/flows.ts'
import type { Flow, FlowTable } from '#system/ports.ts'
import { type Address, type Family, hostPort } from '#values/address.ts'

// Stale conntrack entries → deletions, by original destination and reply source. An entry to the same port at an
// address that is not this Service's stays.

export interface ForgetOptions {
  readonly pending: PendingFlows
  readonly family: Family
  /** The node's own addresses: where node ports answer. */
  readonly nodeAddresses: readonly Address[]
  /** The name of the relay's listener that answers a flow; undefined where an endpoint does, known by its address. */
  readonly listenerOf?: (flow: Flow) => string | undefined
}

/** Returns how many entries were deleted; throws where the kernel refuses, and then all are still pending. */
export async function forget(flows: FlowTable, options: ForgetOptions): Promise<number> {
  const { pending, family } = options
  let forgotten = 0
  for (const protocol of ['udp', 'sctp', 'tcp'] as const) {
    const frontends = [...pending.values()].filter(frontend => frontend.protocol === protocol)
    if (frontends.length === 0) continue
    const ports = new Set(frontends.map(({ port }) => port))
    forgotten += await flows.forget({ family, protocol, by: 'toPort', ports, isStale: staleness(frontends, options) })
  }
  return forgotten
}

function staleness(
  frontends: readonly FrontendFlows[],
  { nodeAddresses, listenerOf }: Pick<ForgetOptions, 'nodeAddresses' | 'listenerOf'>,
): (flow: Flow) => boolean {
  const atAddress = new Map(frontends.map(frontend => [`${frontend.ip} ${frontend.port}`, frontend]))
  const atNode = new Map(frontends.filter(({ ip }) => ip === undefined).map(frontend => [frontend.port, frontend]))
  const own = new Set(nodeAddresses)
  return flow => {
    const nodePort = own.has(flow.to) ? atNode.get(flow.toPort) : undefined
    const frontend = atAddress.get(`${flow.to} ${flow.toPort}`) ?? nodePort
    return frontend !== undefined && isStale(listenerOf?.(flow) ?? endpointOf(flow), frontend)
  }
}

function endpointOf({ answeredBy, answeredByPort }: Flow): string {
  return hostPort(answeredBy, answeredByPort)
}

function isStale(answering: string, { stale }: FrontendFlows): boolean {
  return 'unless' in stale ? !stale.unless.has(answering) : stale.only.has(answering)
}
