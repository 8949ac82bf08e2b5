import type { Ruleset } from '#proxy/modes/mode.ts'
import { pathOf } from '#proxy/modes/netfilter/trace/packet.ts'
import { traced } from '#proxy/modes/netfilter/trace/trace.ts'
import type { Packet, Path } from '#proxy/modes/trace.ts'
import { fateOf } from '../../../../support/fate.ts'
import { ip } from '../../../../support/objects.ts'
import { ruleset } from '../../../../support/units.ts'

// Rules in few words, and where a packet ends under them.

const NODE = [ip('127.0.0.1'), ip('10.99.0.2')]

export const FROM_POD: Packet = {
  protocol: 'tcp',
  from: ip('10.244.1.7'),
  to: ip('10.96.0.10'),
  port: 80,
  via: { hook: 'prerouting', iface: 'cni0' },
  nodeAddresses: NODE,
}
export const FROM_NODE: Packet = { ...FROM_POD, from: ip('10.99.0.2'), via: { hook: 'output' } }

/** Chains by unit, and single lines: `nat -A PREROUTING …`. */
export function rules(chains: Readonly<Record<string, readonly string[]>>, lines: readonly string[] = []): Ruleset {
  const named = Object.entries(chains).map(([unit, text]) => {
    const chain = unit.split(' ')[1]
    return [unit, text.map(rule => `-A ${chain} ${rule}`.trimEnd()).join('\n')] as const
  })
  return ruleset(Object.fromEntries([...named, ...lines.map(line => [line, ''] as const)]))
}

/** Rules of nat, with one chain that every packet passes first. */
export function nat(chains: Readonly<Record<string, readonly string[]>>): Ruleset {
  const units = Object.entries(chains).map(([chain, text]) => [`nat ${chain}`, text] as const)
  return rules(Object.fromEntries(units), ['nat -A PREROUTING -j START', 'nat -A OUTPUT -j START'])
}

export function paths(given: Ruleset, packet: Packet = FROM_POD): readonly Path[] {
  return traced(given, packet, { jumps: { units: [] } }).map(pathOf)
}

export function fate(given: Ruleset, packet?: Packet): Record<string, number> {
  return Object.fromEntries(fateOf(paths(given, packet)))
}

export const A = '-p tcp -m tcp -j DNAT --to-destination 10.244.1.5:8080'
export const B = '-p tcp -m tcp -j DNAT --to-destination 10.244.2.5:8080'
export const TO_A = { '10.244.1.5:8080': 1 }
export const UNTOUCHED = { untouched: 1 }
