import { jumpOrder } from '#proxy/modes/netfilter/chain-order.ts'
import type { Layout } from '#proxy/modes/netfilter/document.ts'
import { JUMP_UNITS, MARTIANS } from './base.ts'
import { byKind, FIREWALL } from './names.ts'

// How the rules of this mode are written.

export const LAYOUT: Layout = {
  jumps: { units: [MARTIANS, ...JUMP_UNITS], isLast: line => line.startsWith(FIREWALL) },
  order: texts => jumpOrder(texts, byKind),
  /** KUBE-FIREWALL belongs to kubelet as well: jumps to it and rules in it are added, never removed. */
  stays: unit => (unit.kind === 'chain' ? unit.chain === FIREWALL : unit.line.includes(FIREWALL)),
}
