import type { VirtualServerAddress } from '#dialects/ipvs.ts'
import { type RuleUnit, ruleUnit, type Table } from '#proxy/modes/netfilter/units.ts'
import { asUnit, textOf, type Unit } from '#proxy/modes/unit.ts'
import { type Address, hostPort } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'

// What this mode's units are called, and what a unit's name says: both is here alone.

export const SERVICES = 'KUBE-SERVICES'
export const POSTROUTING = 'KUBE-POSTROUTING'
export const NODE_PORT = 'KUBE-NODE-PORT'
export const LOAD_BALANCER = 'KUBE-LOAD-BALANCER'
export const MARK_MASQ = 'KUBE-MARK-MASQ'
export const FORWARD = 'KUBE-FORWARD'
export const PROXY_FIREWALL = 'KUBE-PROXY-FIREWALL'
export const SOURCE_RANGES = 'KUBE-SOURCE-RANGES-FIREWALL'
export const IPVS_FILTER = 'KUBE-IPVS-FILTER'
export const IPVS_OUT_FILTER = 'KUBE-IPVS-OUT-FILTER'

/** Chains that are wholly ours. KUBE-IPVS-OUT-FILTER of the filter table is kube-proxy's; ours is in mangle. */
const CHAINS: Readonly<Record<Table, readonly string[]>> = {
  mangle: [SOURCE_RANGES, IPVS_OUT_FILTER],
  filter: [FORWARD, NODE_PORT, PROXY_FIREWALL, SOURCE_RANGES, IPVS_FILTER, IPVS_OUT_FILTER],
  nat: [SERVICES, POSTROUTING, NODE_PORT, LOAD_BALANCER, MARK_MASQ],
}

export function isOurChain(table: Table, chain: string): boolean {
  return CHAINS[table].includes(chain) || LEFT_OVER[table].test(chain)
}

/** Chains that the other modes which use iptables may have left. Some of them lead to our chains; all of them are removed. */
const LEFT_OVER: Readonly<Record<Table, RegExp>> = {
  mangle: /^KUBE-PROXY-CANARY$/,
  filter:
    /^KUBE-(?:PROXY-CANARY|SERVICES|EXTERNAL-SERVICES|NODEPORTS|NODEPORT-NON-LOCAL|PORTALS-CLOSED|EXTERNAL-CLOSED)$/,
  nat: /^KUBE-(?:PROXY-CANARY|NODEPORTS|(?:PORTALS|NODEPORT)-(?:CONTAINER|HOST)|(?:SVC|SVL|SEP|FW|EXT|XLB|SVCS\d|P[CH]\d)-[A-Z2-7]{16})$/,
}

export const DEVICE_UNIT: Unit = asUnit('device kube-ipvs0')

export function setUnit(name: string): Unit {
  return asUnit(`set ${name}`)
}

export function memberUnit(name: string, entry: string): Unit {
  return asUnit(`member ${name} ${entry}`)
}

export function addressUnit(ip: Address): Unit {
  return asUnit(`address ${ip}`)
}

export function serverAddress(protocol: Protocol, ip: Address, port: number): VirtualServerAddress {
  return { protocol, at: hostPort(ip, port) }
}

export function serverUnit({ protocol, at }: VirtualServerAddress): Unit {
  return asUnit(`server ${protocol} ${at}`)
}

export function realUnit({ protocol, at }: VirtualServerAddress, real: string): Unit {
  return asUnit(`real ${protocol} ${at} ${real}`)
}

export type IpvsUnit =
  | { readonly kind: 'device' }
  | { readonly kind: 'set'; readonly name: string }
  | { readonly kind: 'member'; readonly name: string; readonly entry: string }
  | { readonly kind: 'address'; readonly ip: Address }
  | { readonly kind: 'server'; readonly server: VirtualServerAddress }
  | { readonly kind: 'real'; readonly server: VirtualServerAddress; readonly real: string }
  | RuleUnit

export type IpvsUnitKind = IpvsUnit['kind']

export function unitParts(unit: Unit): IpvsUnit {
  const [kind, one = '', two = '', three = ''] = textOf(unit).split(' ', 4)
  switch (kind) {
    case 'device':
      return { kind }
    case 'set':
      return { kind, name: one }
    case 'member':
      return { kind, name: one, entry: two }
    case 'address':
      return { kind, ip: one as Address }
    case 'server':
      return { kind, server: { protocol: one as Protocol, at: two } }
    case 'real':
      return { kind, server: { protocol: one as Protocol, at: two }, real: three }
  }
  return ruleUnit(unit)!
}

/** Of many units: the entries that this set has. */
export function entriesIn(units: Iterable<Unit>, set: string): readonly string[] {
  return restOf(units, memberUnit(set, ''))
}

/** Of many units: the real servers behind this virtual server. */
export function realsBehind(units: Iterable<Unit>, server: VirtualServerAddress): readonly string[] {
  return restOf(units, realUnit(server, ''))
}

/** Without a look at the parts of each: there are a hundred thousand. */
function restOf(units: Iterable<Unit>, start: Unit): readonly string[] {
  const prefix = textOf(start)
  const found: string[] = []
  for (const unit of units) if (textOf(unit).startsWith(prefix)) found.push(textOf(unit).slice(prefix.length))
  return found
}
