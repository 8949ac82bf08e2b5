import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, PoolName, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Side } from '#proxy/modes/userspace/names.ts'
import { type Cidr, contains, hostCidr, overlaps, prefixLength } from '#values/cidr.ts'

// A frontend → who may come in there, and to whose listener. A packet takes the first way that is open to it.

export interface Way {
  readonly pool: PoolName
  /** Stand before the destination and behind the port, as iptables-save orders words; absent: everybody. */
  readonly source?: Cidr
  readonly iface?: string
  readonly match?: string
}

export function waysIn(
  traffic: ServiceTraffic,
  node: NodeView,
  frontend: Frontend,
): Readonly<Record<Side, readonly Way[]>> {
  const { verdict } = frontend
  if (verdict.to === 'pool') return { container: [{ pool: verdict.pool }], host: [{ pool: verdict.pool }] }
  if (verdict.to !== 'gate' || traffic.gate === undefined) return { container: [], host: [] }
  const { gate } = traffic
  const doors = sources(traffic, node, frontend).map(source => (source === undefined ? {} : { source }))
  const everywhere = doors.map((door): Way => ({ ...door, pool: 'cluster' }))
  if (gate.policy === 'Cluster') return { container: everywhere, host: everywhere }
  const container = doors.flatMap((door): readonly Way[] => [
    ...podsWays(node, door.source),
    { ...door, pool: 'cluster', match: '-m addrtype --src-type LOCAL' },
    ...(gate.others === 'local' ? [{ ...door, pool: 'local' } as const] : []),
  ])
  return { container, host: everywhere }
}

/** A node inside a range may come with one of the load balancer's own addresses as its source. */
function sources({ frontends }: ServiceTraffic, { nodeIP }: NodeView, door: Frontend): readonly (Cidr | undefined)[] {
  const { sourceRanges } = door
  if (sourceRanges === undefined) return [undefined]
  if (nodeIP === undefined || !sourceRanges.some(range => contains(range, nodeIP))) return sourceRanges
  const guarded = frontends.filter(frontend => frontend.sourceRanges !== undefined)
  return [...sourceRanges, ...guarded.map(({ ip }) => hostCidr(ip!))]
}

/** Pods of this node, where they are also within `source`: a rule has room for one range, and of two the smaller holds both. */
function podsWays({ localPods }: NodeView, source: Cidr | undefined): readonly Way[] {
  const within = source === undefined ? {} : { source }
  switch (localPods?.by) {
    case undefined:
      return []
    case 'cidr': {
      const { cidr } = localPods
      if (source === undefined) return [{ pool: 'cluster', source: cidr }]
      if (!overlaps(source, cidr)) return []
      return [{ pool: 'cluster', source: prefixLength(source) > prefixLength(cidr) ? source : cidr }]
    }
    case 'interface':
      return [{ pool: 'cluster', ...within, iface: localPods.name }]
    case 'interface-prefix':
      return [{ pool: 'cluster', ...within, iface: `${localPods.prefix}+` }]
  }
}
