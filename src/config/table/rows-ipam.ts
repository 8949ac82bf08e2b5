import type { Setting } from './setting.ts'

// Rows: what `ipam` shows, and of which database.

const OUTPUTS = ['wide', 'json', 'yaml'] as const

export const IPAM_ROWS: readonly Setting[] = [
  {
    flag: 'output',
    short: 'o',
    kind: 'text',
    words: OUTPUTS,
    initial: '',
    verbs: ['ipam', 'cni', 'ranges', 'explain', 'verify'],
    besideConfig: true,
    group: 'verb',
    help: 'In which form the answer is printed: empty for people, "json" and "yaml" for programs. "wide" is for "ipam ls", and adds container, interface, network namespace, times and uid.',
  },
  {
    flag: 'network',
    kind: 'text',
    initial: '',
    verbs: ['ipam'],
    group: 'verb',
    help: 'Only this network: the "name" in its CNI configuration. Without it, all that have given an address on this node.',
  },
  {
    flag: 'all',
    kind: 'switch',
    initial: false,
    verbs: ['ipam'],
    group: 'verb',
    help: 'List every free address. Otherwise more than 4 in a row, and always more than 65,536, are one line from the first to the last.',
  },
  {
    flag: 'database',
    kind: 'path',
    initial: '/var/lib/switchyard/ipam.db',
    verbs: ['ipam', 'cni', 'explain', 'verify'],
    besideConfig: true,
    group: 'verb',
    help: "The database of this node's leases.",
  },
  {
    flag: 'watch',
    kind: 'switch',
    initial: false,
    verbs: ['ipam'],
    group: 'verb',
    help: 'With ls: print the list anew each time a lease changes, until it is stopped.',
  },
  {
    flag: 'at',
    kind: 'text',
    initial: '',
    verbs: ['ipam'],
    group: 'verb',
    help: 'With who: which pod had the address at this time, such as 2026-11-29T07:00:00Z, or 10m for ten minutes ago.',
  },
  {
    flag: 'force',
    kind: 'switch',
    initial: false,
    verbs: ['ipam'],
    group: 'verb',
    help: 'With release: also what a witness says is in use. Its pod goes on using the address, and another pod may get the same. With rmpeer: also what belongs to a Node that is there.',
  },
  {
    flag: 'node-mask',
    kind: 'count',
    initial: 0,
    verbs: ['ipam'],
    group: 'verb',
    help: "With plan: the prefix length of a node's range; 0 is 24 in IPv4 and 64 in IPv6, as kube-controller-manager has it.",
  },
  {
    flag: 'pods-per-node',
    kind: 'count',
    initial: 110,
    verbs: ['ipam'],
    group: 'verb',
    help: "With plan: how many pods a node may have, as the kubelet's --max-pods.",
  },
  {
    flag: 'churn',
    kind: 'float',
    initial: 0,
    verbs: ['ipam'],
    group: 'verb',
    help: 'With plan: how many pods of a node end in a minute, and are replaced. Their addresses cool down before they are given again.',
  },
]
