import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Entry, Unit } from '#proxy/modes/mode.ts'
import { type BaseJump, jumpUnit } from '#proxy/modes/netfilter/jumps.ts'
import { chainUnit } from '#proxy/modes/netfilter/units.ts'
import { chainTexts } from './chain-texts.ts'
import {
  DEVICE_UNIT,
  FORWARD,
  IPVS_FILTER,
  IPVS_OUT_FILTER,
  NODE_PORT,
  POSTROUTING,
  PROXY_FIREWALL,
  SERVICES,
  setUnit,
} from './names.ts'
import { SET_NAMES, setName, setSpec } from './sets.ts'

// A node without a single Service → the device, the sets, the chains that ask the sets, and the jumps that lead there.

/** In kube-proxy's order, and ours last: each is put in front, so a chain reads from the last to the first. */
const JUMPS: readonly BaseJump[] = [
  ['nat', 'OUTPUT', SERVICES, 'kubernetes service portals'],
  ['nat', 'PREROUTING', SERVICES, 'kubernetes service portals'],
  ['nat', 'POSTROUTING', POSTROUTING, 'kubernetes postrouting rules'],
  ['filter', 'FORWARD', FORWARD, 'kubernetes forwarding rules'],
  ['filter', 'INPUT', NODE_PORT, 'kubernetes health check rules'],
  ['filter', 'INPUT', PROXY_FIREWALL, 'kube-proxy firewall rules'],
  ['filter', 'FORWARD', PROXY_FIREWALL, 'kube-proxy firewall rules'],
  ['filter', 'INPUT', IPVS_FILTER, 'kubernetes ipvs access filter'],
  ['mangle', 'OUTPUT', IPVS_OUT_FILTER, 'kubernetes ipvs access filter'],
]

export const JUMP_UNITS: readonly Unit[] = JUMPS.map(jumpUnit)

export function base(node: NodeView): readonly Entry[] {
  return [
    { unit: DEVICE_UNIT, text: '' },
    ...SET_NAMES.map(set => ({ unit: setUnit(setName(set, node.family)), text: setSpec(set, node.family) })),
    ...chainTexts(node).map(({ table, chain, text }) => ({ unit: chainUnit(table, chain), text })),
    ...JUMP_UNITS.map(unit => ({ unit, text: '' })),
  ]
}
