import { type AskedCluster, type AskedPacket, type FoundFrontend, frontendOf } from '#explain/service/found.ts'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import { familyOf } from '#values/address.ts'
import { cidr, ip } from '../../support/objects.ts'

// Objects and a packet → the frontend that is found, as node `one` sees it.

export const VIEW: NodeView = {
  ...{ family: 'ipv4', mark: 0x4000, nodePortAddresses: 'all', masquerade: 'from-outside' },
  localPods: { by: 'cidr', cidr: cidr('10.244.0.0/16') },
}

export const FROM_POD: AskedPacket = {
  ...{ protocol: 'tcp', from: ip('10.244.1.9'), to: ip('10.96.0.10'), port: 80, nodeAddresses: [ip('192.0.2.1')] },
  via: { hook: 'prerouting', iface: 'cni0' },
}

export const FROM_OUTSIDE: AskedPacket = {
  ...FROM_POD,
  ...{ from: ip('203.0.113.7'), to: ip('198.18.1.1'), via: { hook: 'prerouting', iface: 'eth0' } },
}

export function asked(
  objects: readonly ClusterObject[],
  view: Partial<NodeView> = {},
): AskedCluster & { view: NodeView } {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const seen = { ...VIEW, ...view }
  const { family, masquerade } = seen
  return { cluster, thisNode: { family, nodeName: 'one', masquerade }, view: seen }
}

/** As in a mode that redirects no packet from loopback. */
export function found(
  objects: readonly ClusterObject[],
  packet: AskedPacket,
  view: Partial<NodeView> = {},
): FoundFrontend | undefined {
  return frontendOf(asked(objects, { family: familyOf(packet.to), ...view }), packet, { needs: {} })
}
