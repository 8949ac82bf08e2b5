import type { Address } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'
import type { Resolved } from './resolve.ts'

// Changes of a service port → the conntrack entries to delete. Flows of UDP and SCTP have no end the kernel can see: a
// client that goes on sending would be sent to an endpoint that is gone, or past a Service that is new. Of TCP only
// entries without an answer count: conntrack sends the repetition of a first packet where it let the first one pass,
// and a client that uses the same port again, too.

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
    if (frontend.protocol !== 'tcp' && !standing.has(key)) pending.set(key, { ...frontend, stale: answering.gone })
  }
  for (const [key, { frontend, answering }] of standing) {
    const known = earlier.get(key)?.answering
    if (known === undefined || mattersTo(frontend, known, answering))
      pending.set(key, { ...frontend, stale: answering })
  }
  return pending
}

/**
 * Of TCP only the first endpoint counts: an unanswered client was sent to an endpoint that is gone by now. While there
 * are others, a look after each endpoint that goes would cost more than it helps.
 */
function mattersTo({ protocol }: AnsweredFrontend['frontend'], before: Answering, after: Answering): boolean {
  if (protocol === 'tcp') return !before.hasEndpoints && after.hasEndpoints
  return !sameSet(before.unless, after.unless)
}

/** After rules were missing: packets may have passed without DNAT. */
export function bypassedFlows(standing: readonly Resolved[], listenersOf: ListenersOf = NO_LISTENERS): PendingFlows {
  const frontends = [...answeredFrontends(standing, listenersOf)]
  return new Map(frontends.map(([key, { frontend, answering }]) => [key, { ...frontend, stale: answering }]))
}

interface AnsweredFrontend {
  readonly frontend: { readonly protocol: Protocol; readonly ip?: Address; readonly port: number }
  readonly answering: Answering
}

/** What may answer at the frontends of a service port: endpoints, and listeners of the relay. */
class Answering {
  readonly #resolved: Resolved
  readonly #listenersOf: ListenersOf
  #sources: ReadonlySet<string> | undefined

  constructor(resolved: Resolved, listenersOf: ListenersOf) {
    this.#resolved = resolved
    this.#listenersOf = listenersOf
  }

  get hasEndpoints(): boolean {
    return this.#resolved.serving.length > 0
  }

  /**
   * Endpoints that may still answer, ready or terminating, near or far: policy decides for new connections only.
   * Collected when a flow is compared with them: a start has very many frontends, and flows to few of them.
   */
  get unless(): ReadonlySet<string> {
    this.#sources ??= sourcesOf(this.#resolved, this.#listenersOf)
    return this.#sources
  }

  get gone(): Staleness {
    return { only: this.unless }
  }
}

function sourcesOf({ serving, traffic }: Resolved, listenersOf: ListenersOf): ReadonlySet<string> {
  return new Set([...serving, ...listenersOf(traffic)])
}

function answeredFrontends(
  ports: readonly Resolved[],
  listenersOf: ListenersOf,
): ReadonlyMap<string, AnsweredFrontend> {
  const found = new Map<string, AnsweredFrontend>()
  for (const resolved of ports) {
    const { protocol, frontends } = resolved.traffic
    const answering = new Answering(resolved, listenersOf)
    for (const { ip, port } of frontends) {
      const frontend = { protocol, ...(ip !== undefined && { ip }), port }
      found.set(`${protocol} ${ip ?? 'node'} ${port}`, { frontend, answering })
    }
  }
  return found
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b)
}
