import { type Flow, flowsOf, forgetFlows, listFlows } from '#dialects/conntrack.ts'
import type { Doorway, Owed } from '#proxy/desired/flows.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { type Address, type Family, hostPort } from '#values/address.ts'

// Owed judgements → the kernel forgets the connections they condemn, each named by the door it came in at and by who answers:
// that is what was judged. A stranger's connection to the same port elsewhere is not touched.

export interface Forgetting {
  readonly owed: Owed
  readonly family: Family
  /** The node's own addresses: where a node port may be knocked at. */
  readonly nodeAddresses: readonly Address[]
  /** The name of whoever answers a connection; undefined for an endpoint, known by its address and port. */
  readonly answererOf?: (flow: Flow) => string | undefined
}

/** Returns how many were forgotten; throws where the kernel could not be asked, and then all is still owed. */
export async function forget(kernel: Kernel, forgetting: Forgetting): Promise<number> {
  const { owed, family } = forgetting
  let forgotten = 0
  for (const protocol of ['udp', 'sctp', 'tcp'] as const) {
    const doors = [...owed.values()].filter(door => door.protocol === protocol)
    if (doors.length === 0) continue
    const { stdout } = await must(kernel, listFlows(family, protocol))
    const stale = staleFlows(flowsOf(stdout), doors, forgetting)
    if (stale.length === 0) continue
    await must(kernel, forgetFlows(stale, family))
    forgotten += stale.length
  }
  return forgotten
}

export function staleFlows(
  flows: readonly Flow[],
  doors: readonly Doorway[],
  { nodeAddresses, answererOf }: Pick<Forgetting, 'nodeAddresses' | 'answererOf'>,
): readonly Flow[] {
  const atAddress = new Map(doors.map(door => [`${door.ip} ${door.port}`, door]))
  const atNode = new Map(doors.filter(({ ip }) => ip === undefined).map(door => [door.port, door]))
  const own = new Set(nodeAddresses)
  return flows.filter(flow => {
    const door = atAddress.get(`${flow.to} ${flow.toPort}`) ?? (own.has(flow.to) ? atNode.get(flow.toPort) : undefined)
    return door !== undefined && isStale(answererOf?.(flow) ?? endpointOf(flow), door)
  })
}

function endpointOf({ answeredBy, answeredByPort }: Flow): string {
  return hostPort(answeredBy, answeredByPort)
}

function isStale(answerer: string, { stale }: Doorway): boolean {
  return 'unless' in stale ? !stale.unless.has(answerer) : stale.only.has(answerer)
}
