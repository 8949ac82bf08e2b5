import type { Setting } from './setting.ts'

// Rows: the controller of node ranges, with the names that kube-controller-manager has for the same.

/** Beside the pods' daemon's 10245, and no component of Kubernetes. */
export const RANGES_METRICS = '127.0.0.1:10244'

const row = { verbs: ['ranges'], group: 'nodes' } as const
const leader = { verbs: ['ranges'], group: 'leader' } as const

export const RANGES_ROWS: readonly Setting[] = [
  {
    ...row,
    flag: 'allocate-node-cidrs',
    kind: 'switch',
    initial: true,
    help: 'Give Nodes their podCIDRs. The controller does nothing else, so false is refused: of the flags of kube-controller-manager it is the one to turn off there.',
  },
  {
    ...row,
    flag: 'node-cidr-mask-size',
    kind: 'count',
    initial: 0,
    help: "The prefix length of a node's range, in a cluster of one family; 0 is 24 in IPv4 and 64 in IPv6.",
  },
  {
    ...row,
    flag: 'node-cidr-mask-size-ipv4',
    kind: 'count',
    initial: 0,
    help: "The prefix length of a node's IPv4 range; 0 is 24.",
  },
  {
    ...row,
    flag: 'node-cidr-mask-size-ipv6',
    kind: 'count',
    initial: 0,
    help: "The prefix length of a node's IPv6 range; 0 is 64.",
  },
  {
    ...row,
    flag: 'node-cidr-cooldown',
    kind: 'duration',
    initial: 60_000,
    help: 'How long the range of a deleted Node is given to no other: its pods may still run, and connections to them may still be open.',
  },
  {
    ...leader,
    flag: 'leader-elect',
    kind: 'switch',
    initial: true,
    help: 'Work only while this process holds the Lease, so that of several one sends requests. That no range is given twice does not depend on it.',
  },
  {
    ...leader,
    flag: 'leader-elect-lease-duration',
    kind: 'duration',
    initial: 15_000,
    help: 'Another process takes the Lease when it was not renewed for this long.',
  },
  {
    ...leader,
    flag: 'leader-elect-renew-deadline',
    kind: 'duration',
    initial: 10_000,
    help: 'A leader that could not renew the Lease for this long stops leading; less than the lease duration.',
  },
  {
    ...leader,
    flag: 'leader-elect-retry-period',
    kind: 'duration',
    initial: 2000,
    help: 'How often the Lease is renewed, or asked for.',
  },
  {
    ...leader,
    flag: 'leader-elect-resource-lock',
    kind: 'text',
    initial: 'leases',
    help: 'What is held by the leader: leases, as in every Kubernetes of today.',
  },
  {
    ...leader,
    flag: 'leader-elect-resource-name',
    kind: 'text',
    initial: 'switchyard-ranges',
    help: 'The name of the Lease.',
  },
  {
    ...leader,
    flag: 'leader-elect-resource-namespace',
    kind: 'text',
    initial: 'kube-system',
    help: 'The namespace of the Lease, and of the ConfigMap with the record of ranges.',
  },
  {
    ...row,
    flag: 'service-node-port-range',
    kind: 'text',
    initial: '30000-32767',
    help: 'With "ranges", "ranges audit" and "ranges plan": the range of node ports, as kube-apiserver has it.',
  },
  {
    ...row,
    flag: 'max-pods',
    kind: 'count',
    initial: 110,
    help: 'With "ranges plan": how many pods a node may have, as the kubelet has it.',
  },
  {
    ...row,
    flag: 'nodes',
    kind: 'count',
    initial: 0,
    help: 'With "ranges plan": how many nodes are wanted; 0 is as many as fit.',
  },
  {
    flag: 'ranges-metrics-bind-address',
    kind: 'addressPort',
    initial: RANGES_METRICS,
    verbs: ['ranges'],
    group: 'servers',
    help: 'Where the controller of node ranges answers /metrics, /healthz and /livez. Empty turns the server off.',
  },
]
