import {
  attribute,
  attributesIn,
  byteAttribute,
  linkNameOf,
  nest,
  numberAttribute,
  shortAttribute,
  textAttribute,
  textOf,
} from '#system/netlink/message.ts'
import type { RouteRequest } from '../conversation.ts'
import type { VxlanOptions } from '../neighbours.ts'
import type { BridgeOptions, LinkChange, LinkState, NearVethEnd, VethEnd } from '../network.ts'

import { macBytes, macText } from './mac.ts'
import { vxlanAttributes, vxlanOf } from './vxlan-attributes.ts'

// Links as we want them → messages; messages of the kernel → links. Numbers are those of linux/if_link.h.

const NEWLINK = 16
const DELLINK = 17
const GETLINK = 18
export const LINK_HEADER = 16
const MAKE = 0x400 | 0x200

const ADDRESS = 1
const IFNAME = 3
const MTU = 4
const LINK = 5
const MASTER = 10
const OPERSTATE = 16
const LINKINFO = 18
const ALIAS = 20
const NET_NS_FD = 28
const EXT_MASK = 29
const SKIP_STATISTICS = 8

const KIND = 1
const KIND_DATA = 2
const VLAN_FILTERING = 7
const VLAN_ID = 1
const VETH_PEER = 1

const UP = 1
const PROMISCUOUS = 0x100
const OPERATIONAL = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'] as const

interface HeaderFields {
  readonly index?: number
  readonly flags?: number
  /** Which of the flags are meant. */
  readonly change?: number
}

export function linkHeader({ index = 0, flags = 0, change = 0 }: HeaderFields = {}): Buffer {
  const header = Buffer.alloc(LINK_HEADER)
  header.writeInt32LE(index, 4)
  header.writeUInt32LE(flags, 8)
  header.writeUInt32LE(change, 12)
  return header
}

export function nameAttribute(name: string): Buffer {
  return textAttribute(IFNAME, name)
}

/** By name, or by number. */
export function getLink(which: string | number): RouteRequest {
  const [index, names] = typeof which === 'number' ? [which, []] : [0, [nameAttribute(which)]]
  return { type: GETLINK, header: linkHeader({ index }), attributes: [...names, withoutStatistics()] }
}

export const ALL_LINKS: RouteRequest = { type: GETLINK, header: linkHeader(), attributes: [withoutStatistics()] }

export function newBridge(name: string, { vlanFiltering, ...end }: BridgeOptions): RouteRequest {
  const filtering = vlanFiltering === undefined ? [] : [byteAttribute(VLAN_FILTERING, Number(vlanFiltering))]
  return made([...endAttributes({ name, ...end }), kind('bridge', filtering)])
}

export function newVlan(name: string, { parent, id }: { parent: number; id: number }): RouteRequest {
  return made([nameAttribute(name), numberAttribute(LINK, parent), kind('vlan', [shortAttribute(VLAN_ID, id)])])
}

export function newVxlan(name: string, { mac, mtu, ...options }: VxlanOptions): RouteRequest {
  const end = endAttributes({ name, mac, mtu })
  return made([...end, kind('vxlan', vxlanAttributes(options))])
}

/** One message makes both ends, each where it belongs; `fd` is the namespace of the far one. */
export function newVeth(end: NearVethEnd, far: { end: VethEnd; fd?: number }, master?: number): RouteRequest {
  const there = far.fd === undefined ? [] : [numberAttribute(NET_NS_FD, far.fd)]
  const peer = Buffer.concat([linkHeader(), ...endAttributes(far.end), ...there])
  const own = master === undefined ? endAttributes(end) : [...endAttributes(end), numberAttribute(MASTER, master)]
  const header = end.state === 'up' ? linkHeader({ flags: UP, change: UP }) : linkHeader()
  return made([...own, kind('veth', [attribute(VETH_PEER, peer)])], header)
}

/** `master` 0 takes the link out of its bridge. */
export function changedLink(index: number, change: LinkChange, master: number | undefined): RouteRequest {
  const { state, promiscuous, name, mtu, mac, alias, vlanFiltering } = change
  const flags = (state === 'up' ? UP : 0) | (promiscuous === 'on' ? PROMISCUOUS : 0)
  const meant = (state === undefined ? 0 : UP) | (promiscuous === undefined ? 0 : PROMISCUOUS)
  const attributes = [
    ...(name === undefined ? [] : [nameAttribute(name)]),
    ...mtuAttribute(mtu),
    ...macAttribute(mac),
    ...(master === undefined ? [] : [numberAttribute(MASTER, master)]),
    ...(alias === undefined ? [] : [attribute(ALIAS, Buffer.from(alias))]),
    ...(vlanFiltering === undefined
      ? []
      : [kind('bridge', [byteAttribute(VLAN_FILTERING, Number(vlanFiltering === 'on'))])]),
  ]
  return { type: NEWLINK, header: linkHeader({ index, flags, change: meant }), attributes }
}

export function deletedLink(index: number): RouteRequest {
  return { type: DELLINK, header: linkHeader({ index }) }
}

/** Whether this message says that the link is gone, which a bridge says of its ports, too, in its own family. */
export function isGone(type: number, body: Buffer, index: number): boolean {
  return type === DELLINK && body[0] === 0 && body.readInt32LE(4) === index
}

export function linkOf(body: Buffer): LinkState {
  const found = new Map(attributesIn(body, LINK_HEADER))
  const info = new Map(attributesIn(found.get(LINKINFO) ?? Buffer.of(), 0))
  const [flags, name, master, other] = [body.readUInt32LE(8), found.get(IFNAME), found.get(MASTER), found.get(LINK)]
  const linkKind = textOf(info.get(KIND) ?? Buffer.of())
  const alias = found.get(ALIAS)?.toString('utf8').replace(/\0$/, '')
  const data = new Map(attributesIn(info.get(KIND_DATA) ?? Buffer.of(), 0))
  return {
    index: body.readInt32LE(4),
    name: linkNameOf(name),
    kind: linkKind,
    mac: macText(found.get(ADDRESS)),
    mtu: found.get(MTU)?.readUInt32LE() ?? 0,
    isUp: (flags & UP) !== 0,
    operState: OPERATIONAL[found.get(OPERSTATE)?.[0] ?? 0] ?? 'unknown',
    isPromiscuous: (flags & PROMISCUOUS) !== 0,
    ...(alias !== undefined && { alias }),
    ...(master !== undefined && { master: master.readUInt32LE() }),
    ...(linkKind === 'veth' && other !== undefined && { peer: other.readUInt32LE() }),
    ...(linkKind === 'vxlan' && { vxlan: vxlanOf(data) }),
    ...(linkKind === 'bridge' && { isVlanFiltering: data.get(VLAN_FILTERING)?.[0] === 1 }),
  }
}

export function linkInfoOf(body: Buffer): ReadonlyMap<number, Buffer> {
  return new Map(attributesIn(new Map(attributesIn(body, LINK_HEADER)).get(LINKINFO) ?? Buffer.of(), 0))
}

export function linkInfo(attributes: readonly Buffer[]): Buffer {
  return nest(LINKINFO, attributes)
}

/** By name, without making one. */
export function changedByName(name: string, attributes: readonly Buffer[]): RouteRequest {
  return { type: NEWLINK, header: linkHeader(), attributes: [nameAttribute(name), ...attributes] }
}

function made(attributes: readonly Buffer[], header = linkHeader()): RouteRequest {
  return { type: NEWLINK, flags: MAKE, header, attributes }
}

function kind(name: string, data: readonly Buffer[]): Buffer {
  const details = data.length === 0 ? [] : [nest(KIND_DATA, data)]
  return linkInfo([textAttribute(KIND, name), ...details])
}

function endAttributes({ name, mac, mtu }: VethEnd): readonly Buffer[] {
  return [nameAttribute(name), ...mtuAttribute(mtu), ...macAttribute(mac)]
}

function mtuAttribute(mtu: number | undefined): readonly Buffer[] {
  return mtu === undefined ? [] : [numberAttribute(MTU, mtu)]
}

function macAttribute(mac: string | undefined): readonly Buffer[] {
  return mac === undefined ? [] : [attribute(ADDRESS, macBytes(mac))]
}

function withoutStatistics(): Buffer {
  return numberAttribute(EXT_MASK, SKIP_STATISTICS)
}
