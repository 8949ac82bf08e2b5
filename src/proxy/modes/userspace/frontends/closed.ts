import * as words from '#dialects/iptables.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { EXTERNAL_CLOSED, PORTALS_CLOSED } from '#proxy/modes/userspace/names.ts'
import type { ChainLines } from './chain-lines.ts'

// Frontends that admit no client → the lines that refuse it. kube-proxy's userspace mode accepted such connections and
// closed them; here they are rejected or dropped, as in every other mode.

export interface ClosedFrontendParts {
  readonly traffic: ServiceTraffic
  readonly node: NodeView
  readonly lines: ChainLines
}

export function closeFrontend(parts: ClosedFrontendParts, frontend: Frontend): void {
  const { id, gate, protocol } = parts.traffic
  const { verdict, sourceRanges } = frontend
  if (protocol === 'sctp') refuse(parts, frontend, `${id} SCTP is not supported in userspace mode`)
  else if (verdict.to === 'reject') refuse(parts, frontend, `${id} has no endpoints`)
  else {
    if (sourceRanges !== undefined) dropEverywhere(parts, frontend, `${id} is for its source ranges only`)
    const lacksLocal = verdict.to === 'gate' && gate?.policy === 'Local' && gate.others === 'drop'
    if (verdict.to === 'drop' || lacksLocal) drop(parts, frontend, `${id} has no local endpoints`)
  }
}

/** Without endpoints the client is rejected. */
function refuse(parts: ClosedFrontendParts, frontend: Frontend, why: string): void {
  addLine(parts, frontend, { chain: chainOf(frontend), why, end: words.reject(parts.node.family) })
}

/** With endpoints, but none that policy allows: dropped, as if there were no such address. */
function drop(parts: ClosedFrontendParts, frontend: Frontend, why: string): void {
  addLine(parts, frontend, { chain: chainOf(frontend), why, end: '-j DROP' })
}

/** Drops the node's own packets as well. */
function dropEverywhere(parts: ClosedFrontendParts, frontend: Frontend, why: string): void {
  for (const chain of [PORTALS_CLOSED, EXTERNAL_CLOSED]) addLine(parts, frontend, { chain, why, end: '-j DROP' })
}

function chainOf({ kind }: Frontend): string {
  return kind === 'cluster-ip' ? PORTALS_CLOSED : EXTERNAL_CLOSED
}

interface Line {
  readonly chain: string
  readonly why: string
  readonly end: string
}

/** Redirected packets have another destination by now, and do not match these lines. */
function addLine(
  { traffic: { protocol }, lines }: ClosedFrontendParts,
  { ip, port }: Frontend,
  { chain, why, end }: Line,
): void {
  const note = words.comment(why)
  const dport = words.dport(protocol, port)
  if (ip !== undefined) lines.add('filter', chain, words.to(ip), words.proto(protocol), note, dport, end)
  else lines.add('filter', chain, words.proto(protocol), note, '-m addrtype --dst-type LOCAL', dport, end)
}
