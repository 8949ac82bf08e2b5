import { serverLine, splitHostPort, stickySecondsOf, type VirtualServerAddress, WORKING } from '#dialects/ipvs.ts'
import { realsBehind, realUnit, serverAddress, serverUnit } from '#proxy/modes/ipvs/names.ts'
import { LINGERING, type Ruleset } from '#proxy/modes/mode.ts'
import { type TracedPacket, withHop } from '#proxy/modes/netfilter/trace/packet.ts'
import type { Hop, Packet } from '#proxy/modes/trace.ts'
import { textOf } from '#proxy/modes/unit.ts'
import { hostPort } from '#values/address.ts'

// A packet at an address and port → the endpoints IPVS may send it to, each with its share.

/** A scheduler that chooses by hash or load is shown as its average over many clients: an equal share for each endpoint. */
export function served(rules: Ruleset, packet: Packet, state: TracedPacket): readonly TracedPacket[] {
  const server = serverAddress(packet.protocol, state.to, state.port)
  const options = rules.get(serverUnit(server))
  if (options === undefined) return [state]
  const reals = workingReals(rules, server)
  const rule = serverLine('A', server, options)
  const at = textOf(serverUnit(server))
  if (reals.length === 0) {
    const hop: Hop = { at, rule, did: 'reject: it has no endpoints' }
    return [withHop({ ...state, stopped: 'rejected' }, hop)]
  }
  const chosen = remembered(reals, options, packet) ?? reals
  return chosen.map(real => sent(state, { real, at, rule, share: state.share / chosen.length }))
}

function workingReals(rules: Ruleset, server: VirtualServerAddress): readonly string[] {
  return realsBehind(rules.keys(), server).filter(real => rules.get(realUnit(server, real)) !== LINGERING)
}

function remembered(reals: readonly string[], options: string, { last }: Packet): readonly string[] | undefined {
  const seconds = stickySecondsOf(options)
  if (last === undefined || seconds === undefined || last.secondsAgo > seconds) return undefined
  return reals.includes(last.endpoint) ? [last.endpoint] : undefined
}

interface Sending {
  readonly real: string
  readonly at: string
  readonly rule: string
  readonly share: number
}

function sent(state: TracedPacket, { real, at, rule, share }: Sending): TracedPacket {
  const { ip, port } = splitHostPort(real)
  const endpoint = hostPort(ip!, port)
  const hop: Hop = { at, rule: `${rule} … -r ${real} ${WORKING}`, did: `send to ${endpoint}` }
  return withHop({ ...state, share, to: ip!, port, endpoint }, hop)
}
