import type { Setting } from './setting.ts'

// Rows: where the pods' daemon takes its ranges from, and the ring, with the names that Weave has for the same.

const RANGE_SOURCES = ['config', 'node', 'ring'] as const

const row = { verbs: ['pods'], group: 'nodes' } as const

export const RING_ROWS: readonly Setting[] = [
  {
    ...row,
    flag: 'ranges-from',
    kind: 'text',
    words: RANGE_SOURCES,
    initial: 'config',
    help: 'Where addresses of pods come from, in networks whose "ipam" names no range: "node" is spec.podCIDRs of this Node, "ring" a part of --ipalloc-range that nodes divide among themselves. With "config" each network must name its own.',
  },
  {
    ...row,
    flag: 'ipalloc-range',
    kind: 'text',
    initial: '',
    help: 'The IPv4 range that the ring divides, the same on all nodes. Without it, $IPALLOC_RANGE or 10.32.0.0/12.',
  },
  {
    ...row,
    flag: 'ipalloc-init',
    kind: 'text',
    initial: '',
    help: 'By whom the ring is made: "consensus=N" once more than half of N nodes are there, "seed=NODE,NODE" by these nodes, in any order; an "observer" makes none, and asks for addresses in one that is there. Without it, consensus of as many as there are Nodes.',
  },
  {
    ...row,
    flag: 'ipalloc-default-subnet',
    kind: 'text',
    initial: '',
    help: 'The part of --ipalloc-range that pods get addresses from; without it, all of it.',
  },
]
