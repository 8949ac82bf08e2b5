import type { Endpoint, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Unit } from '#proxy/modes/mode.ts'
import type { Cidr } from '#values/cidr.ts'
import { hash16 } from '#values/digest.ts'

// A service port → the names of its chains, by kube-proxy's hash, so that either program recognises the other's chains.

export type Table = 'mangle' | 'filter' | 'nat'

export const MARK_MASQ = 'KUBE-MARK-MASQ'
export const POSTROUTING = 'KUBE-POSTROUTING'
export const SERVICES = 'KUBE-SERVICES'
export const NODEPORTS = 'KUBE-NODEPORTS'
export const EXTERNAL_SERVICES = 'KUBE-EXTERNAL-SERVICES'
export const FORWARD = 'KUBE-FORWARD'
export const PROXY_FIREWALL = 'KUBE-PROXY-FIREWALL'
/** Shared with kubelet: we own single lines in it, never the whole chain. */
export const FIREWALL = 'KUBE-FIREWALL'
/** Empty chains that kube-proxy and kubelet look at to notice a flush. */
export const CANARY = 'KUBE-PROXY-CANARY'

export interface ServiceChains {
  /** All endpoints this node may use. */
  readonly cluster: string
  /** The endpoints on this node. */
  readonly local: string
  /** Reached from addresses outside the cluster. */
  readonly external: string
  /** In front of `external`, where only some source ranges are admitted. */
  readonly firewall: string
  endpoint(endpoint: Endpoint): string
}

export function serviceChains({ id, protocol }: ServiceTraffic): ServiceChains {
  const key = `${id}${protocol}`
  const name = hash16(key)
  return {
    cluster: `KUBE-SVC-${name}`,
    local: `KUBE-SVL-${name}`,
    external: `KUBE-EXT-${name}`,
    firewall: `KUBE-FW-${name}`,
    endpoint: ({ text }) => `KUBE-SEP-${hash16(key + text)}`,
  }
}

/** A whole chain, replaced in one go. */
export function chainUnit(table: Table, chain: string): Unit {
  return `${table} ${chain}`
}

/** One line of ours in a chain we do not own. The line is its own name, so that `-D` can delete it word for word. */
export function lineUnit(table: Table, line: string, copy = 1): Unit {
  return copy === 1 ? `${table} ${line}` : `${table} ${line} #${copy}`
}

export type IptablesUnit =
  | { readonly table: Table; readonly chain: string }
  /** Without its leading `-A`. */
  | { readonly table: Table; readonly line: string }

export function unitParts(unit: Unit): IptablesUnit {
  const space = unit.indexOf(' ')
  const table = unit.slice(0, space) as Table
  const rest = unit.slice(space + 1)
  return rest.startsWith('-A ') ? { table, line: rest.slice(3).replace(/ #\d+$/, '') } : { table, chain: rest }
}

const STATIC: Readonly<Record<Table, readonly string[]>> = {
  mangle: [CANARY],
  filter: [SERVICES, EXTERNAL_SERVICES, FORWARD, NODEPORTS, PROXY_FIREWALL, CANARY],
  nat: [SERVICES, NODEPORTS, POSTROUTING, MARK_MASQ, CANARY],
}

/** The chains that our jumps from built-in chains lead to. */
const JUMP_TARGETS: Readonly<Record<Table, readonly string[]>> = {
  mangle: [],
  filter: [SERVICES, EXTERNAL_SERVICES, FORWARD, NODEPORTS, PROXY_FIREWALL, FIREWALL],
  nat: [SERVICES, POSTROUTING],
}

/** A branch of the tree under KUBE-SERVICES: the addresses that share `prefix`, which is of the given depth. */
export function branchChain(prefix: Cidr, depth: number): string {
  return `KUBE-SVCS${depth}-${hash16(prefix)}`
}

/** KUBE-XLB chains are of kube-proxy before 1.24: their jumps would keep our endpoint chains from being deleted. */
const PER_SERVICE = /^KUBE-(?:SVC|SVL|SEP|FW|EXT|XLB|SVCS\d)-[A-Z2-7]{16}$/

export function isOurChain(table: Table, chain: string): boolean {
  return STATIC[table].includes(chain) || (table === 'nat' && PER_SERVICE.test(chain))
}

export function isJumpTarget(table: Table, chain: string): boolean {
  return JUMP_TARGETS[table].includes(chain)
}

/** The chains that every table has from the start. */
export function isBuiltIn(chain: string): boolean {
  return BUILT_IN.includes(chain)
}

const BUILT_IN: readonly string[] = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']
