import { decodedRange } from '#ipam/ranges/decoded-range.ts'
import type { Cidr } from '#values/cidr.ts'
import { isOn, type JsonNode, memberOf, type ObjectNode, plainOf, textAt } from '../json/node.ts'
import { below } from '../keys/check-keys.ts'
import { HOST_LOCAL_TYPES } from '../keys/plugin-keys.ts'

// A configuration → its plugins that give addresses by host-local's rules, and the ranges these come from.

export interface AddressingPlugin {
  readonly node: ObjectNode
  readonly ipam: ObjectNode
  readonly path: string
  /** The link that its own routes leave by. */
  readonly link: string
  /** Its pods have a link each, and a route of their own on the node. */
  readonly isPointToPoint: boolean
  /** Whether that link gets the gateway's address. */
  readonly hasGateway: boolean
  readonly mayOverlap: boolean
}

export function addressingPlugins(root: JsonNode): readonly AddressingPlugin[] {
  return pluginsIn(root).flatMap(({ node, path }) => {
    const ipam = memberOf(node, 'ipam')?.value
    if (ipam?.kind !== 'object' || !HOST_LOCAL_TYPES.includes(textAt(ipam, 'type') ?? '')) return []
    const link = textAt(node, 'bridge') ?? 'cni0'
    const hasGateway = isOn(node, 'isGateway') || isOn(node, 'isDefaultGateway')
    const isPointToPoint = textAt(node, 'type') === 'ptp'
    return [{ node, ipam, path, link, isPointToPoint, hasGateway, mayOverlap: textAt(ipam, 'overlap') === 'allow' }]
  })
}

export function pluginsIn(root: JsonNode): readonly { readonly node: ObjectNode; readonly path: string }[] {
  const list = memberOf(root, 'plugins')?.value
  const nodes =
    list?.kind === 'list' ? list.items.map((node, i) => ({ node, path: `plugins[${i}]` })) : [{ node: root, path: '' }]
  return nodes.flatMap(({ node, path }) => (node.kind === 'object' ? [{ node, path }] : []))
}

export interface WrittenRange {
  readonly subnet: Cidr
  readonly at: number
  readonly path: string
}

/** Those that are right: what is wrong with the others has been said. */
export function rangesOf({ ipam, path }: AddressingPlugin): readonly WrittenRange[] {
  const at = below(path, 'ipam')
  const sets = memberOf(ipam, 'ranges')?.value
  const inSets =
    sets?.kind !== 'list'
      ? []
      : sets.items.flatMap((set, i) =>
          set.kind === 'list' ? set.items.map((node, j) => ({ node, path: `${at}.ranges[${i}][${j}]` })) : [],
        )
  return [{ node: ipam as JsonNode, path: at }, ...inSets].flatMap(({ node, path: where }) => {
    const subnet = memberOf(node, 'subnet')?.value
    const decoded = subnet === undefined ? undefined : decodedRange(plainOf(node), where, 0)
    return decoded?.ok ? [{ subnet: decoded.range.subnet, at: subnet!.at, path: `${where}.subnet` }] : []
  })
}
