import type { CniResult } from '#cni/protocol/result.ts'
import type { NamespaceNetwork } from '#system/network/network.ts'
import type { PluginParts } from '../plugin.ts'
import type { Mapping } from './backend.ts'

// Links of the node below a container whose ports are mapped → what they must let through.

export async function prepareLinks(
  { config, targets }: Mapping,
  { interfaces }: CniResult,
  { networks }: Pick<PluginParts, 'networks'>,
): Promise<void> {
  const names = interfaces.flatMap(({ name, sandbox }) => (sandbox === undefined || sandbox === '' ? [name] : []))
  if (config.masquerade === 'never' || names.length === 0) return
  const node = await networks.open()
  try {
    for (const name of names) await letContainerReachItself(node, name)
    if (!targets.some(({ family }) => family === 'ipv4')) return
    for (const name of names.filter(name => isWayOut(name, names[0]!))) await letLocalhostIn(node, name)
  } finally {
    node.close()
  }
}

/** Where bridged packets pass the rules, a packet that is led back to its sender never leaves the bridge. */
async function letContainerReachItself(node: NamespaceNetwork, name: string): Promise<void> {
  const port = await node.bridgePort(name)
  if (port !== undefined && !port.hasHairpin) await node.changeBridgePort(name, { hairpin: 'on' })
}

/** The bridge, or what carries the gateway of one of its VLANs: the node reaches the container by it. */
function isWayOut(name: string, bridge: string): boolean {
  return name === bridge || name.startsWith(`${bridge}.`)
}

/** A packet from 127.0.0.1 leaves by a link only where that link may route such addresses. */
function letLocalhostIn(node: NamespaceNetwork, link: string): Promise<void> {
  return node.changeSetting(`ipv4/conf/${link}/route_localnet`, '1')
}
