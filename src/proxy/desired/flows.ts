import type { Address } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'
import type { Resolved } from './resolve.ts'

// Changes of a service port → the conntrack entries to delete. Flows of UDP and SCTP have no end the kernel can see: a
// client that goes on sending would be sent to an endpoint that is gone, or past a Service that is new.

/** One frontend of a service port, and which flows at it are stale. */
export interface FrontendFlows {
  readonly protocol: Protocol
  /** Absent for a node port: any address of the node. */
  readonly ip?: Address
  readonly port: number
  readonly stale: Staleness
}

/** By the source of a flow's replies: an endpoint as `10.244.1.2:53`, or the name of a listener of the relay. */
export type Staleness =
  /** The frontend exists: every flow is stale that none of these answers. */
  | { readonly unless: ReadonlySet<string> }
  /** The frontend is gone: flows to these were made by its rules; others at the same address and port were not. */
  | { readonly only: ReadonlySet<string> }

/** By frontend, so that a later change replaces an earlier one whose entries have not been deleted yet. */
export type PendingFlows = ReadonlyMap<string, FrontendFlows>

/** The relay's listeners that answer at the frontends of a service port, besides its endpoints. */
export type ListenersOf = (traffic: Resolved['traffic']) => readonly string[]

const NO_LISTENERS: ListenersOf = () => []

/** After a change of one Service; empty where the change does not matter to existing flows. */
export function changedFlows(
  before: readonly Resolved[],
  after: readonly Resolved[],
  listenersOf: ListenersOf = NO_LISTENERS,
): PendingFlows {
  const pending = new Map<string, FrontendFlows>()
  const standing = answeredFrontends(after, listenersOf)
  const earlier = answeredFrontends(before, listenersOf)
  for (const [key, { frontend, answering }] of earlier) {
    if (!standing.has(key)) pending.set(key, { ...frontend, stale: { only: answering } })
  }
  for (const [key, { frontend, answering }] of standing) {
    const known = earlier.get(key)
    if (known === undefined || !sameSet(known.answering, answering))
      pending.set(key, { ...frontend, stale: { unless: answering } })
  }
  return pending
}

/**
 * After rules were missing: packets may have passed without DNAT. TCP counts here, too: where conntrack has let the
 * first packet of a connection pass, it lets its repetitions pass, although no endpoint has ever answered.
 */
export function bypassedFlows(standing: readonly Resolved[], listenersOf: ListenersOf = NO_LISTENERS): PendingFlows {
  const frontends = [...answeredFrontends(standing, listenersOf), ...answeredFrontends(standing, listenersOf, ['tcp'])]
  return new Map(
    frontends.map(([key, { frontend, answering }]) => [key, { ...frontend, stale: { unless: answering } }]),
  )
}

/** Protocols whose flows have no end that the kernel sees. */
const ENDLESS: readonly Protocol[] = ['udp', 'sctp']

interface AnsweredFrontend {
  readonly frontend: { readonly protocol: Protocol; readonly ip?: Address; readonly port: number }
  /** Endpoints that may still answer, ready or terminating, near or far: policy decides for new connections only. */
  readonly answering: ReadonlySet<string>
}

function answeredFrontends(
  ports: readonly Resolved[],
  listenersOf: ListenersOf,
  protocols = ENDLESS,
): ReadonlyMap<string, AnsweredFrontend> {
  const found = new Map<string, AnsweredFrontend>()
  for (const { traffic, endpoints } of ports) {
    const { protocol } = traffic
    if (!protocols.includes(protocol)) continue
    const serving = endpoints.filter(endpoint => endpoint.serving).map(({ text }) => text)
    const answering = new Set([...serving, ...listenersOf(traffic)])
    for (const { ip, port } of traffic.frontends) {
      const frontend = { protocol, ...(ip !== undefined && { ip }), port }
      found.set(`${protocol} ${ip ?? 'node'} ${port}`, { frontend, answering })
    }
  }
  return found
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b)
}
