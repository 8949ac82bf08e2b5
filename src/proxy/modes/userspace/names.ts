import type { PoolName, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Table } from '#proxy/modes/netfilter/units.ts'
import { asUnit, textOf, type Unit } from '#proxy/modes/unit.ts'
import type { Cidr } from '#values/cidr.ts'
import { hash16 } from '#values/digest.ts'

// A service port → the names of its listeners; the chains of kube-proxy 1.20 in this mode, and those we add.

/** For packets that arrive at the node, and for packets that the node itself sends, to an address of a Service. */
export const PORTALS = { container: 'KUBE-PORTALS-CONTAINER', host: 'KUBE-PORTALS-HOST' } as const
/** The same for node ports. */
export const NODEPORTS = { container: 'KUBE-NODEPORT-CONTAINER', host: 'KUBE-NODEPORT-HOST' } as const
export type Side = keyof typeof PORTALS
/** Accepts clients from outside at the proxy ports of Services that have node ports. */
export const NON_LOCAL = 'KUBE-NODEPORT-NON-LOCAL'
/** Frontends without endpoints: cluster IPs, to which pods and the node connect, and external addresses. */
export const PORTALS_CLOSED = 'KUBE-PORTALS-CLOSED'
export const EXTERNAL_CLOSED = 'KUBE-EXTERNAL-CLOSED'

export const CHAINS: Readonly<Record<Table, readonly string[]>> = {
  mangle: [],
  filter: [NON_LOCAL, PORTALS_CLOSED, EXTERNAL_CLOSED],
  nat: [PORTALS.container, PORTALS.host, NODEPORTS.container, NODEPORTS.host],
}

const BRANCH = /^KUBE-P[CH][1-3]-[A-Z2-7]{16}$/

/** A branch of the tree under a KUBE-PORTALS chain: the addresses that share `prefix`. */
export function branchChain(side: Side, prefix: Cidr, depth: number): string {
  return `KUBE-P${side === 'container' ? 'C' : 'H'}${depth}-${hash16(prefix)}`
}

export function isOurChain(table: Table, chain: string): boolean {
  return CHAINS[table].includes(chain) || (table === 'nat' && BRANCH.test(chain))
}

/** Each pool of a service port has its own listener: at a proxy port the original destination is no longer known. */
export function listenerName({ id, protocol }: Pick<ServiceTraffic, 'id' | 'protocol'>, pool: PoolName): string {
  return pool === 'local' ? `${protocol} ${id} local` : `${protocol} ${id}`
}

/** The comment on rules that redirect to a listener. */
export function listenerNote({ id }: Pick<ServiceTraffic, 'id'>, pool: PoolName): string {
  return pool === 'local' ? `${id} local endpoints` : id
}

/** The inverse of `listenerNote`. */
export function listenerOfNote(protocol: string, note: string): string {
  return `${protocol} ${note.replace(/ local endpoints$/, ' local')}`
}

export function listenUnit(name: string): Unit {
  return asUnit(`${LISTEN}${name}`)
}

const LISTEN = 'listen '

/** A unit that exists only in the process that listens. */
export function isListener(unit: Unit): boolean {
  return textOf(unit).startsWith(LISTEN)
}

/** The listener that a unit is; undefined for one that is a rule. */
export function listenerOf(unit: Unit): string | undefined {
  return isListener(unit) ? textOf(unit).slice(LISTEN.length) : undefined
}
