import type { Ruleset } from '#proxy/modes/mode.ts'
import { pathOf, type TracedPacket, withHop } from '#proxy/modes/netfilter/trace/packet.ts'
import { traced } from '#proxy/modes/netfilter/trace/trace.ts'
import type { Hop, Packet, Path } from '#proxy/modes/trace.ts'
import { type Address, familyOf } from '#values/address.ts'
import { JUMP_UNITS } from './base.ts'
import { addressUnit } from './names.ts'
import { served } from './trace/servers.ts'
import { Sets } from './trace/sets.ts'

// Rules, sets and virtual servers, and a first packet → its ways. IPVS stands between the filter table and the way out for what
// comes in, and before the filter table for what the node itself sends.

export function trace(ruleset: Ruleset, packet: Packet): readonly Path[] {
  const sets = new Sets(ruleset)
  // A Service's address is the node's own, for the kernel.
  const isLocal = (ip: Address): boolean => ruleset.has(addressUnit(ip))
  const isMartian = isLocal(packet.from) && familyOf(packet.from) === 'ipv4'
  const states = traced(ruleset, packet, {
    jumps: { units: JUMP_UNITS },
    matches: { set: parts => sets.chance(parts) },
    isLocal,
    route: state => (isMartian ? stoppedAsMartian(state) : state),
    serve: state => served(ruleset, packet, state),
  })
  return states.map(pathOf)
}

/** IPv4 refuses what comes from elsewhere with one of the node's own addresses as its source, and a Service's is one. */
function stoppedAsMartian(state: TracedPacket): TracedPacket {
  return withHop({ ...state, stopped: 'dropped' }, MARTIAN)
}

const MARTIAN: Hop = {
  at: 'routing',
  rule: 'source address on kube-ipvs0',
  did: 'drop: it claims to come from this node',
}
