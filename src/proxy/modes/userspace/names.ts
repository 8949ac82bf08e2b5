import type { PoolName, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Unit } from '#proxy/modes/mode.ts'
import type { Cidr } from '#values/cidr.ts'
import { hash16 } from '#values/digest.ts'

// A service port → the names of its listeners; the chains kube-proxy 1.20 had in this mode, and what we add to them.

export type Table = 'filter' | 'nat'
export const TABLES: readonly Table[] = ['filter', 'nat']

/** What passes through the node, and what the node itself sends, each on its way to an address of a Service. */
export const PORTALS = { container: 'KUBE-PORTALS-CONTAINER', host: 'KUBE-PORTALS-HOST' } as const
/** The same on its way to a node port. */
export const NODEPORTS = { container: 'KUBE-NODEPORT-CONTAINER', host: 'KUBE-NODEPORT-HOST' } as const
export type Side = keyof typeof PORTALS
/** Lets strangers in to the proxy ports of Services that have node ports. */
export const NON_LOCAL = 'KUBE-NODEPORT-NON-LOCAL'
/** Where nobody answers: cluster IPs, which pods and the node knock at, and addresses that face outside. */
export const PORTALS_CLOSED = 'KUBE-PORTALS-CLOSED'
export const EXTERNAL_CLOSED = 'KUBE-EXTERNAL-CLOSED'

export const CHAINS: Readonly<Record<Table, readonly string[]>> = {
  filter: [NON_LOCAL, PORTALS_CLOSED, EXTERNAL_CLOSED],
  nat: [PORTALS.container, PORTALS.host, NODEPORTS.container, NODEPORTS.host],
}

const BRANCH = /^KUBE-P[CH][1-3]-[A-Z2-7]{16}$/

/** A branch of the tree under a portals chain: the addresses that share `prefix`. */
export function branchChain(side: Side, prefix: Cidr, depth: number): string {
  return `KUBE-P${side === 'container' ? 'C' : 'H'}${depth}-${hash16(prefix)}`
}

export function isOurChain(table: Table, chain: string): boolean {
  return CHAINS[table].includes(chain) || (table === 'nat' && BRANCH.test(chain))
}

/** Each pool of a service port has a listener of its own: at its port nothing says any more where a client came in. */
export function listenerName({ id, protocol }: Pick<ServiceTraffic, 'id' | 'protocol'>, pool: PoolName): string {
  return pool === 'local' ? `${protocol} ${id} local` : `${protocol} ${id}`
}

/** What the rules that lead to a listener say of it. */
export function listenerNote({ id }: Pick<ServiceTraffic, 'id'>, pool: PoolName): string {
  return pool === 'local' ? `${id} local endpoints` : id
}

/** The way back. */
export function listenerOfNote(protocol: string, note: string): string {
  return `${protocol} ${note.replace(/ local endpoints$/, ' local')}`
}

export function listenUnit(name: string): Unit {
  return `listen ${name}`
}

/** Seen by nobody but the process that listens. */
export function isListener(unit: Unit): boolean {
  return unit.startsWith('listen ')
}

export function chainUnit(table: Table, chain: string): Unit {
  return `${table} ${chain}`
}

/** One line of ours in a chain that belongs to others too. It is its own name, so it can be taken away word for word. */
export function lineUnit(table: Table, line: string, copy = 1): Unit {
  return copy === 1 ? `${table} ${line}` : `${table} ${line} #${copy}`
}

export type UnitParts =
  | { readonly listener: string }
  | { readonly table: Table; readonly chain: string }
  /** Without its leading `-A`. */
  | { readonly table: Table; readonly line: string }

export function unitParts(unit: Unit): UnitParts {
  const space = unit.indexOf(' ')
  const rest = unit.slice(space + 1)
  if (isListener(unit)) return { listener: rest }
  const table = unit.slice(0, space) as Table
  return rest.startsWith('-A ') ? { table, line: rest.slice(3).replace(/ #\d+$/, '') } : { table, chain: rest }
}
