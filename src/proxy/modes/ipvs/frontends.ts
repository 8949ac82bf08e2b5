import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { type Address, hostPort } from '#values/address.ts'

// The frontends of a service port → the places where virtual servers stand, each with whom it sends packets to.

export interface Place {
  readonly frontend: Frontend
  readonly ip: Address
  readonly port: number
  /** Who takes new connections; nobody where they are refused or dropped. */
  readonly pool: readonly Endpoint[]
  /** Of whom this place must keep something away. */
  readonly closedTo: 'nobody' | 'outside' | 'everybody'
  /** Whether the address is the node's own, and so not ours to bind. */
  readonly isNodes: boolean
}

/** A place that two frontends name is the first one's that leads anywhere, as a packet in other modes finds the first way. */
export function places(traffic: ServiceTraffic, node: NodeView): readonly Place[] {
  const own = nodeAddresses(node)
  const found = new Map<string, Place>()
  for (const frontend of traffic.frontends) {
    const ips = frontend.ip === undefined ? nodePortAddresses(node, own) : [frontend.ip]
    for (const ip of ips) {
      const at = hostPort(ip, frontend.port)
      const place = { frontend, ip, port: frontend.port, isNodes: own.includes(ip), ...reach(traffic, frontend) }
      const known = found.get(at)
      if (known === undefined || (known.pool.length === 0 && place.pool.length > 0)) found.set(at, place)
    }
  }
  return [...found.values()]
}

/**
 * IPVS has one virtual server for a place, whoever comes. Where policy is Local and somebody is here, pods and the node go
 * to local endpoints like everybody else; where nobody is here, they go to the cluster, and everybody else is kept out.
 */
function reach({ pools, gate }: ServiceTraffic, { verdict }: Frontend): Pick<Place, 'pool' | 'closedTo'> {
  switch (verdict.to) {
    case 'pool':
      return { pool: pools[verdict.pool], closedTo: 'nobody' }
    case 'gate':
      if (gate?.policy !== 'Local') return { pool: pools.cluster, closedTo: 'nobody' }
      return gate.others === 'local'
        ? { pool: pools.local, closedTo: 'nobody' }
        : { pool: pools.cluster, closedTo: 'outside' }
    case 'reject':
      return { pool: [], closedTo: 'nobody' }
    case 'drop':
      return { pool: [], closedTo: 'everybody' }
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
