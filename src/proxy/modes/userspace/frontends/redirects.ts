import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, PoolName, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Side } from '#proxy/modes/userspace/names.ts'
import { type Cidr, hostCidr, overlaps, prefixLength } from '#values/cidr.ts'

// A frontend → the clients it admits, and the pool whose listener each is redirected to. The first redirect that
// matches wins.

export interface Redirect {
  readonly pool: PoolName
  /**
   * Source and interface in front of the port, `match` behind it, as iptables-save orders matches; absent: every
   * client.
   */
  readonly source?: Cidr
  readonly iface?: string
  readonly match?: string
}

export function redirectsOf(
  traffic: ServiceTraffic,
  node: NodeView,
  frontend: Frontend,
): Readonly<Record<Side, readonly Redirect[]>> {
  const { verdict } = frontend
  if (verdict.to === 'pool') return { container: [{ pool: verdict.pool }], host: [{ pool: verdict.pool }] }
  if (verdict.to !== 'gate' || traffic.gate === undefined) return { container: [], host: [] }
  const { gate } = traffic
  const admitted = sources(frontend).map(source => (source === undefined ? {} : { source }))
  const everywhere = admitted.map((from): Redirect => ({ ...from, pool: 'cluster' }))
  if (gate.policy === 'Cluster') return { container: everywhere, host: everywhere }
  const container = admitted.flatMap((from): readonly Redirect[] => [
    ...podRedirects(node, from.source),
    { ...from, pool: 'cluster', match: '-m addrtype --src-type LOCAL' },
    ...(frontend.admits === 'all' ? [{ ...from, pool: 'local' } as const] : []),
  ])
  return { container, host: everywhere }
}

function sources({ sourceRanges, sourceAddresses = [] }: Frontend): readonly (Cidr | undefined)[] {
  return sourceRanges === undefined ? [undefined] : [...sourceRanges, ...sourceAddresses.map(hostCidr)]
}

/**
 * Pods of this node that are also within `source`: a rule takes one range, so of two overlapping ones the smaller is
 * used.
 */
function podRedirects({ localPods }: NodeView, source: Cidr | undefined): readonly Redirect[] {
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
