import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { ChainLines } from '#proxy/modes/netfilter/chain-lines.ts'
import { type RefusalParts, refusal } from '#proxy/modes/netfilter/refusal.ts'
import { EXTERNAL_CLOSED, PORTALS_CLOSED } from '#proxy/modes/userspace/names.ts'

// Frontends that admit no client → the lines that refuse it. kube-proxy's userspace mode accepted such connections and
// closed them; here they are rejected or dropped, as in every other mode.

export interface ClosedFrontendParts {
  readonly traffic: ServiceTraffic
  readonly node: NodeView
  readonly lines: ChainLines
}

export function closeFrontend(parts: ClosedFrontendParts, frontend: Frontend): void {
  const { id, protocol } = parts.traffic
  const { verdict, admits, sourceRanges } = frontend
  if (protocol === 'sctp')
    refuse(parts, frontend, { why: `${id} SCTP is not supported in userspace mode`, how: 'reject' })
  else if (verdict.to === 'reject') refuse(parts, frontend, { why: `${id} has no endpoints`, how: 'reject' })
  else {
    if (sourceRanges !== undefined) dropEverywhere(parts, frontend, `${id} is for its source ranges only`)
    if (admits !== 'all') refuse(parts, frontend, { why: `${id} has no local endpoints`, how: 'drop' })
  }
}

/** Drops the node's own packets as well. */
function dropEverywhere(parts: ClosedFrontendParts, frontend: Frontend, why: string): void {
  for (const chain of [PORTALS_CLOSED, EXTERNAL_CLOSED]) refuse(parts, frontend, { chain, why, how: 'drop' })
}

function chainOf({ kind }: Frontend): string {
  return kind === 'cluster-ip' ? PORTALS_CLOSED : EXTERNAL_CLOSED
}

interface Refused extends Pick<RefusalParts, 'why' | 'how'> {
  readonly chain?: string
}

/** Redirected packets have another destination by now, and do not match these lines. */
function refuse(
  { traffic, lines, node: { family } }: ClosedFrontendParts,
  frontend: Frontend,
  { chain = chainOf(frontend), ...about }: Refused,
): void {
  lines.add('filter', chain, ...refusal(traffic, frontend, { ...about, family }))
}
