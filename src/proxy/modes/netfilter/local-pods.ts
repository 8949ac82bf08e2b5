import type { NodeView } from '#proxy/desired/node-view.ts'

// This node's pods → the match for their packets: by source range, or by the interface they arrive on.

export interface PodMatch {
  /** In front of the destination, as iptables-save orders matches. */
  readonly source?: string
  /** Behind the destination. */
  readonly iface?: string
}

export function localPodsMatch({ localPods }: NodeView, sense: 'is' | 'not'): PodMatch {
  const no = sense === 'not' ? '! ' : ''
  switch (localPods?.by) {
    case 'cidr':
      return { source: `${no}-s ${localPods.cidr}` }
    case 'interface':
      return { iface: `${no}-i ${localPods.name}` }
    case 'interface-prefix':
      return { iface: `${no}-i ${localPods.prefix}+` }
    case undefined:
      return {}
  }
}
