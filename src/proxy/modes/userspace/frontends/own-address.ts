import type { NodeView } from '#proxy/desired/node-view.ts'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Address } from '#values/address.ts'

// A node → the address at which its listeners answer clients.

/**
 * The node's address, unless the host's addresses are known and lack it: some Node objects have an address that no
 * interface has.
 */
export function ownAddress({ nodeIP, nodeAddresses = [] }: NodeView): Address | undefined {
  const isAbsent = nodeIP !== undefined && nodeAddresses.length > 0 && !nodeAddresses.includes(nodeIP)
  return isAbsent ? undefined : nodeIP
}

/**
 * The one address at which a listener answers; undefined: every address. The reply to a datagram must leave from the
 * address the datagram came to. For IPv6 the kernel redirects to the first address of an interface, which may be
 * temporary or deprecated, and replies from the address it prefers; so there both use the node's own address.
 */
export function answersAt(
  { protocol }: Pick<ServiceTraffic, 'protocol'>,
  node: NodeView,
  listenOn: Address | undefined,
): Address | undefined {
  if (listenOn !== undefined) return listenOn
  return protocol === 'udp' && node.family === 'ipv6' ? ownAddress(node) : undefined
}
