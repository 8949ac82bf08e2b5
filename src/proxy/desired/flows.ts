import type { Address } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'
import type { Resolved } from './resolve.ts'

// What became of a service port → the connections the kernel must forget. UDP and SCTP have no end the kernel can see: a
// client that goes on sending would be sent to an endpoint that is gone, or past a Service that has come.

/** One door of a service port, and which answers at it are good. */
export interface Doorway {
  readonly protocol: Protocol
  /** Absent for a node port: any address of the node. */
  readonly ip?: Address
  readonly port: number
  readonly stale: Staleness
}

export type Staleness =
  /** The door stands: every connection is stale that is not answered by one of these. */
  | { readonly unless: ReadonlySet<string> }
  /** The door is gone: only what we sent to these was ours to forget. */
  | { readonly only: ReadonlySet<string> }

/** One key a door: a later judgement of the same door replaces an earlier one that has not been carried out yet. */
export type Owed = ReadonlyMap<string, Doorway>

/** Who else may answer at the doors of a service port, besides its endpoints. */
export type OtherAnswerers = (traffic: Resolved['traffic']) => readonly string[]

const NOBODY_ELSE: OtherAnswerers = () => []

/** What a change of one Service owes; empty where nothing that matters to connections has changed. */
export function owedFlows(
  before: readonly Resolved[],
  after: readonly Resolved[],
  others: OtherAnswerers = NOBODY_ELSE,
): Owed {
  const owed = new Map<string, Doorway>()
  const standing = doorsOf(after, others)
  const earlier = doorsOf(before, others)
  for (const [key, { door, serving }] of earlier) {
    if (!standing.has(key)) owed.set(key, { ...door, stale: { only: serving } })
  }
  for (const [key, { door, serving }] of standing) {
    const known = earlier.get(key)
    if (known === undefined || !sameSet(known.serving, serving)) owed.set(key, { ...door, stale: { unless: serving } })
  }
  return owed
}

/**
 * What is owed for the time in which rules were gone. Connections of TCP, too: where the first packet of one went, the kernel
 * sends its repetitions, although nobody has ever answered there.
 */
export function passedFlows(standing: readonly Resolved[], others: OtherAnswerers = NOBODY_ELSE): Owed {
  const doors = [...doorsOf(standing, others), ...doorsOf(standing, others, ['tcp'])]
  return new Map(doors.map(([key, { door, serving }]) => [key, { ...door, stale: { unless: serving } }]))
}

/** What has no end that the kernel sees. */
const ENDLESS: readonly Protocol[] = ['udp', 'sctp']

interface Door {
  readonly door: { readonly protocol: Protocol; readonly ip?: Address; readonly port: number }
  /** Endpoints that may still answer, ready or terminating, near or far: policy decides for new connections only. */
  readonly serving: ReadonlySet<string>
}

function doorsOf(ports: readonly Resolved[], others: OtherAnswerers, protocols = ENDLESS): ReadonlyMap<string, Door> {
  const doors = new Map<string, Door>()
  for (const { traffic, endpoints } of ports) {
    const { protocol } = traffic
    if (!protocols.includes(protocol)) continue
    const texts = endpoints.filter(endpoint => endpoint.serving).map(({ text }) => text)
    const serving = new Set([...texts, ...others(traffic)])
    for (const { ip, port } of traffic.frontends) {
      doors.set(`${protocol} ${ip ?? 'node'} ${port}`, {
        door: { protocol, ...(ip !== undefined && { ip }), port },
        serving,
      })
    }
  }
  return doors
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b)
}
