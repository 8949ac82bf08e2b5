import type { Ruleset } from '#proxy/modes/mode.ts'
import { pathOf } from '#proxy/modes/netfilter/trace/packet.ts'
import { traced } from '#proxy/modes/netfilter/trace/trace.ts'
import type { Packet, Path } from '#proxy/modes/trace.ts'
import { LAYOUT } from './layout.ts'

// The rules of this mode and a first packet → its ways: nothing but the rules decides them.

export function trace(rules: Ruleset, packet: Packet): readonly Path[] {
  return traced(rules, packet, LAYOUT).map(pathOf)
}
