import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { type Address, hostPort, isLoopback } from '#values/address.ts'

// The frontends of a service port → its virtual servers: one per address and port, each with the endpoints behind it.

export interface VirtualServer {
  readonly frontend: Frontend
  readonly ip: Address
  readonly port: number
  /** The endpoints that take new connections; empty where connections are refused or dropped. */
  readonly pool: readonly Endpoint[]
  /** True where the address is one of the node's own: kube-ipvs0 must not have it then. */
  readonly isNodes: boolean
}

/** Of two frontends at one address and port, the first that leads to an endpoint decides, as the first rule does in other modes. */
export function virtualServers(traffic: ServiceTraffic, node: NodeView): readonly VirtualServer[] {
  const own = nodeAddresses(node)
  const found = new Map<string, VirtualServer>()
  for (const frontend of traffic.frontends) {
    const ips = frontend.ip === undefined ? nodePortAddresses(node, own) : [frontend.ip]
    for (const ip of ips) {
      const at = hostPort(ip, frontend.port)
      const server = { frontend, ip, port: frontend.port, isNodes: own.includes(ip), pool: poolOf(traffic, frontend) }
      const known = found.get(at)
      if (known === undefined || (known.pool.length === 0 && server.pool.length > 0)) found.set(at, server)
    }
  }
  return [...found.values()]
}

/**
 * IPVS has one virtual server for an address and port, whatever the client. Where policy is Local and this node has an
 * endpoint, pods and the node go to local endpoints like all other clients; where it has none, pods and the node go to the
 * endpoints of other nodes, and all other clients are dropped.
 */
function poolOf({ pools, gate }: ServiceTraffic, { verdict, admits }: Frontend): readonly Endpoint[] {
  if (verdict.to === 'pool') return pools[verdict.pool]
  if (admits === 'none') return []
  return gate?.policy === 'Local' && admits === 'all' ? pools.local : pools.cluster
}

function nodeAddresses({ nodeAddresses = [] }: NodeView): readonly Address[] {
  return nodeAddresses.filter(ip => !isLoopback(ip))
}

/** Never a loopback address: the kernel drops what IPVS would send on from there. */
function nodePortAddresses({ nodePortAddresses: wanted }: NodeView, own: readonly Address[]): readonly Address[] {
  return wanted === 'all' ? own : wanted.filter(ip => !isLoopback(ip) && own.includes(ip))
}
