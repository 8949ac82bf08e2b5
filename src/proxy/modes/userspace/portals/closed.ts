import * as words from '#dialects/iptables.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { EXTERNAL_CLOSED, PORTALS_CLOSED } from '#proxy/modes/userspace/names.ts'
import type { Lines } from './lines.ts'

// Frontends at which nobody answers → the lines that say so. kube-proxy's userspace mode let such clients in and hung up;
// here they learn at once that they are refused, as in every other mode.

export interface Closing {
  readonly traffic: ServiceTraffic
  readonly node: NodeView
  readonly lines: Lines
}

export function closePortal(closing: Closing, frontend: Frontend): void {
  const { id, gate, protocol } = closing.traffic
  const { verdict, sourceRanges } = frontend
  if (protocol === 'sctp') refuse(closing, frontend, `${id} SCTP is not supported in userspace mode`)
  else if (verdict.to === 'reject') refuse(closing, frontend, `${id} has no endpoints`)
  else {
    if (sourceRanges !== undefined) dropEverywhere(closing, frontend, `${id} is for its source ranges only`)
    const nobodyHere = verdict.to === 'gate' && gate?.policy === 'Local' && gate.others === 'drop'
    if (verdict.to === 'drop' || nobodyHere) drop(closing, frontend, `${id} has no local endpoints`)
  }
}

/** Nobody anywhere: the client is told. */
function refuse(closing: Closing, frontend: Frontend, why: string): void {
  put(closing, frontend, { chain: chainOf(frontend), why, end: words.reject(closing.node.family) })
}

/** Somebody, but nobody a policy allows: as if there were no such address. */
function drop(closing: Closing, frontend: Frontend, why: string): void {
  put(closing, frontend, { chain: chainOf(frontend), why, end: '-j DROP' })
}

/** The node itself is kept out as well. */
function dropEverywhere(closing: Closing, frontend: Frontend, why: string): void {
  for (const chain of [PORTALS_CLOSED, EXTERNAL_CLOSED]) put(closing, frontend, { chain, why, end: '-j DROP' })
}

function chainOf({ kind }: Frontend): string {
  return kind === 'cluster-ip' ? PORTALS_CLOSED : EXTERNAL_CLOSED
}

interface Line {
  readonly chain: string
  readonly why: string
  readonly end: string
}

/** What the portals let in has another destination by now, and is not met here. */
function put({ traffic: { protocol }, lines }: Closing, { ip, port }: Frontend, { chain, why, end }: Line): void {
  const note = words.comment(why)
  const dport = words.dport(protocol, port)
  if (ip !== undefined) lines.add('filter', chain, words.to(ip), words.proto(protocol), note, dport, end)
  else lines.add('filter', chain, words.proto(protocol), note, '-m addrtype --dst-type LOCAL', dport, end)
}
