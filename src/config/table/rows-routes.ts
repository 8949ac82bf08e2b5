import type { Setting } from './setting.ts'

// Rows: routes of the pods' daemon to the ranges of other nodes, and what leaves the cluster.

const ROUTE_CHOICES = ['auto', 'on', 'off'] as const
const OVERLAYS = ['auto', 'none', 'vxlan'] as const
const OUTBOUND_CHOICES = ['auto', 'nftables', 'iptables', 'none'] as const

const row = { verbs: ['pods'], group: 'routes' } as const
/** What routes should be, `verify` must know, too. */
const overlayRow = { verbs: ['pods', 'verify'], besideConfig: true, group: 'routes' } as const

export const ROUTE_ROWS: readonly Setting[] = [
  {
    ...row,
    flag: 'routes',
    kind: 'text',
    words: ROUTE_CHOICES,
    initial: 'auto',
    help: 'Keep routes to the ranges of other nodes, and the rules of --ip-masq. "auto" does where --ranges-from is node or ring; with "on" and ranges from config, other nodes have what is in their spec.podCIDRs. "off" for clusters in which another program does: what is there of ours goes. Otherwise routes stay, also when the daemon ends.',
  },
  {
    ...overlayRow,
    flag: 'overlay',
    kind: 'text',
    words: OVERLAYS,
    initial: 'auto',
    help: 'How packets get to other nodes: "none" by a route through the node itself, which must be on a link of this one; "vxlan" in UDP, wherever it is; "auto" in UDP only to nodes that are on none of our links.',
  },
  {
    ...overlayRow,
    flag: 'overlay-vni',
    kind: 'count',
    initial: 1,
    help: 'The number of the overlay, the same on all nodes.',
  },
  {
    ...overlayRow,
    flag: 'overlay-port',
    kind: 'count',
    initial: 8472,
    help: 'The UDP port of the overlay, the same on all nodes; firewalls between them must let it pass.',
  },
  {
    ...row,
    flag: 'ip-masq',
    kind: 'text',
    words: OUTBOUND_CHOICES,
    initial: 'auto',
    help: `What pods send out of --cluster-cidr leaves with the node's address, by rules that stand once for the node, so that ipMasq of the bridge is not needed: by nftables, by iptables, or with auto by the first of them that works; "none" makes none. Without --cluster-cidr or a ring there are none.`,
  },
]
