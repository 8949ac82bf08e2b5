import { flowsOf, listFlowsOf } from '#dialects/conntrack.ts'
import type { Explanation, SentPacket } from '#explain/answer.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import { type ProbeResult, sendProbe } from '#system/probe.ts'
import { hostPort } from '#values/address.ts'

// `--send`: one real packet of the kind that was explained → what became of it, beside what was said.

export interface SendParts {
  readonly packet: Packet
  readonly explanation: Explanation
  readonly mode: Pick<Mode, 'needs'>
  /** The path of the pod's network namespace; absent: the node sends. */
  readonly namespace?: string
  readonly kernel: Kernel
  readonly clock: Clock
}

const WITHIN_MS = 3000

export async function sentPacket(parts: SendParts): Promise<SentPacket> {
  const { packet, clock, namespace } = parts
  const { protocol, from, to, port } = packet
  if (protocol === 'sctp') throw new Error('--send: SCTP is not sent; tcp and udp are')
  const probe = { protocol, from, to, port, withinMs: WITHIN_MS, ...(namespace !== undefined && { namespace }) }
  const found = await sendProbe(probe, clock, async result => ({ result, answeredBy: await answering(result, parts) }))
  if (found === undefined) throw new Error('--send: this Node.js can open no sockets elsewhere (no node:ffi)')
  return judged(found.result, found.answeredBy, parts)
}

/** By the source port, which no other connection of this client has. */
async function answering({ sourcePort }: ProbeResult, { packet, kernel }: SendParts): Promise<string | undefined> {
  const { protocol, from, to, port } = packet
  const { code, stdout } = await kernel.run(listFlowsOf({ protocol, from, fromPort: sourcePort, to, toPort: port }))
  const [flow] = code === 0 ? flowsOf(stdout) : []
  return flow && hostPort(flow.answeredBy, flow.answeredByPort)
}

/** What was seen, beside what was said. */
export function judged(
  { outcome }: Pick<ProbeResult, 'outcome'>,
  answeredBy: string | undefined,
  parts: SendParts,
): SentPacket {
  const { packet, explanation, mode } = parts
  const ends = explanation.ways.map(({ end }) => end)
  const endpoints = ends.flatMap(end => (end.to === 'endpoint' ? [end.endpoint] : []))
  const has = (to: string): boolean => ends.some(end => end.to === to)
  const arrived = answeredBy !== undefined && endpoints.includes(answeredBy)
  // The relay answers by itself, and what an endpoint refuses looks like what a rule refuses.
  const isRelayed = mode.needs.relay === true && endpoints.length > 0 && outcome === 'answered'
  const asExplained =
    arrived ||
    isRelayed ||
    (endpoints.length === 0 && has('rejected') && outcome === 'refused') ||
    (endpoints.length === 0 && has('dropped') && outcome === 'silence') ||
    has('untouched')
  const what = packet.protocol === 'tcp' ? 'A real connection' : 'A real datagram'
  const said = asExplained ? 'as explained' : 'NOT as explained: "switchyard verify" names rules that differ'
  const by =
    answeredBy === undefined || answeredBy === hostPort(packet.to, packet.port) ? '' : ` by way of ${answeredBy}`
  const text = `Sent: ${what} ${WORDS[outcome]}${by}, ${said}.`
  return { outcome, ...(answeredBy !== undefined && { answeredBy }), asExplained, text }
}

const WORDS: Readonly<Record<SentPacket['outcome'], string>> = {
  answered: 'was answered',
  refused: 'was refused',
  silence: `got no answer within ${WITHIN_MS / 1000} s`,
  unreachable: 'found no way there',
}
