import type { NodeView } from '#proxy/desired/node-view.ts'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Address } from '#values/address.ts'

// At which of the node's addresses clients are answered.

/** The node's address, where the machine has it, or nobody has asked the machine: some nodes are known by one they lack. */
export function ownAddress({ nodeIP, nodeAddresses = [] }: NodeView): Address | undefined {
  const isAbsent = nodeIP !== undefined && nodeAddresses.length > 0 && !nodeAddresses.includes(nodeIP)
  return isAbsent ? undefined : nodeIP
}

/**
 * The one address at which a listener answers; undefined: at every address. A datagram's answer must leave from the address
 * it came to. For IPv6 the kernel redirects to the first address of an interface, which may be a temporary or deprecated
 * one, and answers from the one it prefers; so there both are given the node's own.
 */
export function answersAt(
  { protocol }: Pick<ServiceTraffic, 'protocol'>,
  node: NodeView,
  listenOn: Address | undefined,
): Address | undefined {
  if (listenOn !== undefined) return listenOn
  return protocol === 'udp' && node.family === 'ipv6' ? ownAddress(node) : undefined
}
