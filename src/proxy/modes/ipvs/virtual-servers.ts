import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { type Address, hostPort } from '#values/address.ts'

// The frontends of a service port → its virtual servers: one per address and port, each with the endpoints behind it.

export interface VirtualServer {
  readonly frontend: Frontend
  readonly ip: Address
  readonly port: number
  /** The endpoints that take new connections; empty where connections are refused or dropped. */
  readonly pool: readonly Endpoint[]
  /** Clients whose packets are dropped here: none, all but pods and the node, or all. */
  readonly closedTo: 'none' | 'outside' | 'all'
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
      const server = { frontend, ip, port: frontend.port, isNodes: own.includes(ip), ...reach(traffic, frontend) }
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
function reach({ pools, gate }: ServiceTraffic, { verdict }: Frontend): Pick<VirtualServer, 'pool' | 'closedTo'> {
  switch (verdict.to) {
    case 'pool':
      return { pool: pools[verdict.pool], closedTo: 'none' }
    case 'gate':
      if (gate?.policy !== 'Local') return { pool: pools.cluster, closedTo: 'none' }
      return gate.others === 'local'
        ? { pool: pools.local, closedTo: 'none' }
        : { pool: pools.cluster, closedTo: 'outside' }
    case 'reject':
      return { pool: [], closedTo: 'none' }
    case 'drop':
      return { pool: [], closedTo: 'all' }
  }
}

function nodeAddresses({ nodeAddresses = [] }: NodeView): readonly Address[] {
  return nodeAddresses.filter(ip => !isLoopback(ip))
}

/** Never a loopback address: the kernel drops what IPVS would send on from there. */
function nodePortAddresses({ nodePortAddresses: wanted }: NodeView, own: readonly Address[]): readonly Address[] {
  return wanted === 'all' ? own : wanted.filter(ip => !isLoopback(ip) && own.includes(ip))
}

function isLoopback(ip: Address): boolean {
  return ip === '::1' || ip.startsWith('127.')
}
