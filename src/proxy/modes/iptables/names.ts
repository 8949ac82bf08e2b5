import type { Endpoint, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Unit } from '#proxy/modes/mode.ts'
import type { Cidr } from '#values/cidr.ts'
import { hash16 } from '#values/digest.ts'

// A service port → the names of its chains, by the same hash as kube-proxy's, so that both recognise each other's.

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
  /** The way in from outside. */
  readonly external: string
  /** Before it, where only some sources may come in. */
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

/** One line of ours in a chain that belongs to others too. It is its own name, so it can be taken away word for word. */
export function lineUnit(table: Table, line: string, copy = 1): Unit {
  return copy === 1 ? `${table} ${line}` : `${table} ${line} #${copy}`
}

export type UnitParts =
  | { readonly table: Table; readonly chain: string }
  /** Without its leading `-A`. */
  | { readonly table: Table; readonly line: string }

export function unitParts(unit: Unit): UnitParts {
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

/** The chains that packets enter from the kernel's own, by a jump of ours. */
const ENTRANCES: Readonly<Record<Table, readonly string[]>> = {
  mangle: [],
  filter: [SERVICES, EXTERNAL_SERVICES, FORWARD, NODEPORTS, PROXY_FIREWALL, FIREWALL],
  nat: [SERVICES, POSTROUTING],
}

/** A branch of the tree under KUBE-SERVICES: the addresses that share `prefix`, which is of the given depth. */
export function branchChain(prefix: Cidr, depth: number): string {
  return `KUBE-SVCS${depth}-${hash16(prefix)}`
}

/** KUBE-XLB chains are kube-proxy's from before 1.24: left alone they would pin our endpoint chains. */
const PER_SERVICE = /^KUBE-(?:SVC|SVL|SEP|FW|EXT|XLB|SVCS\d)-[A-Z2-7]{16}$/

export function isOurChain(table: Table, chain: string): boolean {
  return STATIC[table].includes(chain) || (table === 'nat' && PER_SERVICE.test(chain))
}

export function isEntrance(table: Table, chain: string): boolean {
  return ENTRANCES[table].includes(chain)
}

/** The chains that are there before anybody makes one. */
export function isBuiltIn(chain: string): boolean {
  return BUILT_IN.includes(chain)
}

const BUILT_IN: readonly string[] = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']
