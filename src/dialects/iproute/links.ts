import type { VxlanOptions, VxlanState } from '#system/network/neighbours.ts'
import type {
  BridgeOptions,
  BridgePort,
  BridgePortChange,
  LinkChange,
  LinkState,
  NearVethEnd,
  VethEnd,
} from '#system/network/network.ts'
import type { Command } from '#system/ports.ts'
import { parseAddress } from '#values/address.ts'
import { jsonOf, valued } from './words.ts'

// Links → the words of `ip link`, and what it prints → links. A name always stands behind the word that says it is one.

export const LIST_LINKS: Command = { does: 'other', argv: ['ip', '-details', '-json', 'link', 'show'] }

export interface ListedLink {
  readonly state: LinkState
  /** Where it is a port of a bridge. */
  readonly port?: BridgePort
}

export function linksOf(stdout: string): readonly ListedLink[] {
  const links = jsonOf(stdout) as readonly Printed[]
  const indexes = new Map(links.map(({ ifname, ifindex }) => [ifname, ifindex]))
  return links.map(link => ({ state: stateOf(link, indexes), ...portOf(link) }))
}

export function addBridge(name: string, { vlanFiltering, ...end }: BridgeOptions): Command {
  const filtering = vlanFiltering === undefined ? [] : ['vlan_filtering', vlanFiltering ? '1' : '0']
  return change(['add', ...endWords({ name, ...end }), 'type', 'bridge', ...filtering])
}

export function addVeth(end: NearVethEnd, peer: VethEnd & { readonly namespace?: string }): Command {
  const near = [...endWords(end), ...valued('master', end.master), ...(end.state === 'up' ? ['up'] : [])]
  const far = [...endWords(peer), ...valued('netns', peer.namespace)]
  return change(['add', ...near, 'type', 'veth', 'peer', ...far])
}

export function addVlan(name: string, { parent, id }: { readonly parent: string; readonly id: number }): Command {
  return change(['add', 'link', parent, 'name', name, 'type', 'vlan', 'id', String(id)])
}

export function addVxlan(name: string, { vni, port, local, mac, mtu }: VxlanOptions): Command {
  const kind = ['type', 'vxlan', 'id', String(vni), 'dstport', String(port), 'nolearning', ...valued('local', local)]
  return change(['add', 'name', name, 'address', mac, 'mtu', String(mtu), ...kind])
}

export function changeLink(name: string, wanted: LinkChange): Command {
  const { state, mtu, mac, master, promiscuous, alias, vlanFiltering } = wanted
  return change([
    ...['set', 'dev', name],
    ...(state === undefined ? [] : [state]),
    ...valued('mtu', mtu),
    ...valued('address', mac),
    ...(master === null ? ['nomaster'] : valued('master', master)),
    ...valued('promisc', promiscuous),
    ...valued('alias', alias),
    ...valued('name', wanted.name),
    ...(vlanFiltering === undefined ? [] : ['type', 'bridge', 'vlan_filtering', vlanFiltering === 'on' ? '1' : '0']),
  ])
}

export function changeBridgePort(name: string, { hairpin, isolated }: BridgePortChange): Command {
  return change([
    'set',
    'dev',
    name,
    'type',
    'bridge_slave',
    ...valued('hairpin', hairpin),
    ...valued('isolated', isolated),
  ])
}

export function deleteLink(name: string): Command {
  return change(['delete', 'dev', name])
}

/** Of the fields that are printed, those that are of interest. */
interface Printed {
  readonly ifindex: number
  readonly ifname: string
  readonly flags: readonly string[]
  readonly mtu: number
  readonly operstate: string
  readonly address?: string
  readonly ifalias?: string
  readonly master?: string
  /** The other end: its name where it is in the same namespace, its number where not. */
  readonly link?: string
  readonly link_index?: number
  readonly linkinfo?: {
    readonly info_kind?: string
    readonly info_data?: {
      readonly vlan_filtering?: number
      /** Of a VXLAN, as the three below. */
      readonly id?: number
      readonly port?: number
      readonly local?: string
      readonly local6?: string
    }
    readonly info_slave_kind?: string
    readonly info_slave_data?: { readonly state: string; readonly hairpin: boolean; readonly isolated: boolean }
  }
}

function stateOf(link: Printed, indexes: ReadonlyMap<string, number>): LinkState {
  const { flags, linkinfo, master } = link
  const kind = linkinfo?.info_kind ?? ''
  const masterIndex = master === undefined ? undefined : indexes.get(master)
  const peer = link.link_index ?? (link.link === undefined ? undefined : indexes.get(link.link))
  return {
    index: link.ifindex,
    name: link.ifname,
    kind,
    mac: link.address ?? '',
    mtu: link.mtu,
    isUp: flags.includes('UP'),
    operState: link.operstate.toLowerCase(),
    isPromiscuous: flags.includes('PROMISC'),
    ...(link.ifalias !== undefined && { alias: link.ifalias }),
    ...(masterIndex !== undefined && { master: masterIndex }),
    ...(kind === 'veth' && peer !== undefined && { peer }),
    ...(kind === 'vxlan' && { vxlan: vxlanOf(linkinfo?.info_data) }),
    ...(kind === 'bridge' && { isVlanFiltering: linkinfo?.info_data?.vlan_filtering === 1 }),
  }
}

function vxlanOf({ id = 0, port = 0, local, local6 }: NonNullable<Printed['linkinfo']>['info_data'] = {}): VxlanState {
  const address = parseAddress(local ?? local6)
  return { vni: id, port, ...(address !== undefined && { local: address }) }
}

function portOf({ linkinfo }: Printed): { readonly port?: BridgePort } {
  const port = linkinfo?.info_slave_data
  if (linkinfo?.info_slave_kind !== 'bridge' || port === undefined) return {}
  return { port: { state: port.state, hasHairpin: port.hairpin, isIsolated: port.isolated } }
}

function endWords({ name, mac, mtu }: VethEnd): readonly string[] {
  return ['name', name, ...valued('address', mac), ...valued('mtu', mtu)]
}

function change(words: readonly string[]): Command {
  return { does: 'write', argv: ['ip', 'link', ...words] }
}
