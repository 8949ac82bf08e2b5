import type { Endpoint, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { byName } from '#proxy/modes/netfilter/chain-order.ts'
import type { Table } from '#proxy/modes/netfilter/units.ts'
import type { Cidr } from '#values/cidr.ts'
import { hash16 } from '#values/digest.ts'

// A service port → the names of its chains, by kube-proxy's hash, so that either program recognises the other's chains.

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
    cluster: hashed('SVC', name),
    local: hashed('SVL', name),
    external: hashed('EXT', name),
    firewall: hashed('FW', name),
    endpoint: ({ text }) => hashed('SEP', hash16(key + text)),
  }
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
  return hashed(`SVCS${depth}`, hash16(prefix))
}

/** A chain of a later kind may jump to any of an earlier. */
const KINDS: readonly (readonly string[])[] = [
  [MARK_MASQ, POSTROUTING],
  ['SEP'],
  ['SVC', 'SVL'],
  ['EXT', 'XLB'],
  ['FW'],
  ['SVCS3'],
  ['SVCS2'],
  ['SVCS1'],
  [NODEPORTS],
  [SERVICES],
]

const RANKS = new Map(KINDS.flatMap((kinds, rank) => kinds.map(kind => [kind, rank])))

function hashed(kind: string, hash: string): string {
  return `KUBE-${kind}-${hash}`
}

/** The kind that `hashed` was given: of a chain in the kernel, its name is all that is known. Undefined for one without a hash. */
function hashedKind(chain: string): string | undefined {
  return HASHED.exec(chain)?.[1]
}

/** KUBE-XLB chains are of kube-proxy before 1.24: their jumps would keep our endpoint chains from being deleted. */
const HASHED = /^KUBE-(SEP|SVC|SVL|EXT|XLB|FW|SVCS\d)-[A-Z2-7]{16}$/

function rank(chain: string): number {
  return RANKS.get(hashedKind(chain) ?? chain) ?? KINDS.length
}

export function byKind(a: string, b: string): number {
  return rank(a) - rank(b) || byName(a, b)
}

export function isOurChain(table: Table, chain: string): boolean {
  return STATIC[table].includes(chain) || (table === 'nat' && hashedKind(chain) !== undefined)
}

export function isJumpTarget(table: Table, chain: string): boolean {
  return JUMP_TARGETS[table].includes(chain)
}
