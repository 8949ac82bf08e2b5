import {
  attribute,
  attributesIn,
  byteAttribute,
  nest,
  numberAttribute,
  shortAttribute,
  textAttribute,
  textOf,
} from '#system/netlink/message.ts'
import type { RouteRequest } from '../conversation.ts'
import type { BridgePort, BridgePortChange, LinkVlan } from '../network.ts'
import { vlanRuns } from '../vlan-runs.ts'
import { changedByName, LINK_HEADER, linkHeader, linkInfo, linkInfoOf } from './link-messages.ts'

// Ports of bridges and their VLANs → messages, and back. Numbers are those of linux/if_link.h and linux/if_bridge.h.

const SLAVE_KIND = 4
const SLAVE_DATA = 5
const PORT_STATE = 1
const PORT_HAIRPIN = 4
const PORT_ISOLATED = 33
const STATES = ['disabled', 'listening', 'learning', 'forwarding', 'blocking'] as const

const SETLINK = 19
const DELLINK = 17
const GETLINK = 18
const AF_BRIDGE = 7
const AF_SPEC = 26
const EXT_MASK = 29
/** Runs of VLANs as their first and last. */
const COMPRESSED_VLANS = 4
const BRIDGE_FLAGS = 0
const VLAN_INFO = 2
/** The VLANs of the bridge's own interface, not of a port. */
const SELF = 2
const PVID = 2
const UNTAGGED = 4
const RUN_BEGINS = 8
const RUN_ENDS = 0x10

/** Undefined for a link that is no port of a bridge. */
export function bridgePortOf(link: Buffer): BridgePort | undefined {
  const info = linkInfoOf(link)
  if (textOf(info.get(SLAVE_KIND) ?? Buffer.of()) !== 'bridge') return undefined
  const port = new Map(attributesIn(info.get(SLAVE_DATA) ?? Buffer.of(), 0))
  const state = port.get(PORT_STATE)?.[0] ?? 0
  return {
    state: STATES[state] ?? String(state),
    hasHairpin: port.get(PORT_HAIRPIN)?.[0] === 1,
    isIsolated: port.get(PORT_ISOLATED)?.[0] === 1,
  }
}

export function changedPort(name: string, { hairpin, isolated }: BridgePortChange): RouteRequest {
  const changes = [
    ...(hairpin === undefined ? [] : [byteAttribute(PORT_HAIRPIN, Number(hairpin === 'on'))]),
    ...(isolated === undefined ? [] : [byteAttribute(PORT_ISOLATED, Number(isolated === 'on'))]),
  ]
  return changedByName(name, [linkInfo([textAttribute(SLAVE_KIND, 'bridge'), nest(SLAVE_DATA, changes)])])
}

/** Of every port and bridge: there is no shorter list. */
export const ALL_VLANS: RouteRequest = {
  type: GETLINK,
  header: bridgeHeader(0),
  attributes: [numberAttribute(EXT_MASK, COMPRESSED_VLANS)],
}

export interface VlanMember {
  readonly index: number
  readonly kind: string
}

export function addedVlans(member: VlanMember, vlans: readonly LinkVlan[]): RouteRequest {
  return { type: SETLINK, header: bridgeHeader(member.index), attributes: [vlanSpec(member, vlans)] }
}

export function deletedVlans(member: VlanMember, vlans: readonly LinkVlan[]): RouteRequest {
  return { type: DELLINK, header: bridgeHeader(member.index), attributes: [vlanSpec(member, vlans)] }
}

export function vlansOf(body: Buffer, index: number): readonly LinkVlan[] {
  if (body.readInt32LE(4) !== index) return []
  const spec = new Map(attributesIn(body, LINK_HEADER)).get(AF_SPEC)
  const found: LinkVlan[] = []
  let first = 0
  for (const [type, value] of attributesIn(spec ?? Buffer.of(), 0)) {
    if (type !== VLAN_INFO) continue
    const [flags, id] = [value.readUInt16LE(0), value.readUInt16LE(2)]
    if ((flags & RUN_BEGINS) !== 0) first = id
    const from = (flags & RUN_ENDS) === 0 ? id : first + 1
    for (let one = from; one <= id; one++)
      found.push({ id: one, isUntagged: (flags & UNTAGGED) !== 0, isPvid: (flags & PVID) !== 0 })
  }
  return found
}

function vlanSpec({ kind }: VlanMember, vlans: readonly LinkVlan[]): Buffer {
  const runs = vlanRuns(vlans).flatMap(({ first, last, isUntagged, isPvid }) => {
    const flags = (isUntagged ? UNTAGGED : 0) | (isPvid ? PVID : 0)
    if (first === last) return [vlanInfo(flags, first)]
    return [vlanInfo(flags | RUN_BEGINS, first), vlanInfo(flags | RUN_ENDS, last)]
  })
  return nest(AF_SPEC, kind === 'bridge' ? [shortAttribute(BRIDGE_FLAGS, SELF), ...runs] : runs)
}

function vlanInfo(flags: number, id: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16LE(flags, 0)
  bytes.writeUInt16LE(id, 2)
  return attribute(VLAN_INFO, bytes)
}

function bridgeHeader(index: number): Buffer {
  const header = linkHeader({ index })
  header[0] = AF_BRIDGE
  return header
}
