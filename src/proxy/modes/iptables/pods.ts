import type { NodeView } from '#proxy/desired/node-view.ts'

// How a packet of a local pod is told apart: by its source or by the interface it came in through.

export interface PodMatch {
  /** Stands before the destination, as iptables-save orders words. */
  readonly source?: string
  /** Stands after it. */
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
