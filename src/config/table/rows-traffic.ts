import type { ModeName, Setting } from './setting.ts'

// Rows: which mode, which traffic is whose, on which addresses.

const KERNEL_MODES: readonly ModeName[] = ['iptables', 'ipvs', 'nftables']

export const TRAFFIC_ROWS: readonly Setting[] = [
  {
    flag: 'proxy-mode',
    field: 'mode',
    kind: 'text',
    initial: '',
    group: 'traffic',
    help: 'How Services are proxied: iptables (also when empty), nftables, ipvs or userspace.',
  },
  {
    flag: 'bind-address',
    field: 'bindAddress',
    kind: 'address',
    initial: '0.0.0.0',
    group: 'traffic',
    help: "The node's primary IP, if the Node object should not decide; the unspecified address leaves it to the Node. In userspace mode also the address that listens.",
  },
  {
    flag: 'cluster-cidr',
    field: 'clusterCIDR',
    kind: 'text',
    initial: '',
    modes: KERNEL_MODES,
    group: 'traffic',
    help: 'The range of pod addresses in the cluster, or one of each family separated by a comma. Traffic to cluster IPs from elsewhere is masqueraded.',
  },
  {
    flag: 'detect-local-mode',
    field: 'detectLocalMode',
    kind: 'text',
    initial: '',
    modes: KERNEL_MODES,
    group: 'traffic',
    help: "How the traffic of this node's pods is told apart: ClusterCIDR (also when empty), NodeCIDR, BridgeInterface or InterfaceNamePrefix.",
  },
  {
    flag: 'pod-bridge-interface',
    field: 'detectLocal.bridgeInterface',
    kind: 'text',
    initial: '',
    modes: KERNEL_MODES,
    group: 'traffic',
    help: 'With BridgeInterface: the bridge that pod traffic comes in through.',
  },
  {
    flag: 'pod-interface-name-prefix',
    field: 'detectLocal.interfaceNamePrefix',
    kind: 'text',
    initial: '',
    modes: KERNEL_MODES,
    group: 'traffic',
    help: "With InterfaceNamePrefix: how the names of the pods' interfaces begin.",
  },
  {
    flag: 'nodeport-addresses',
    field: 'nodePortAddresses',
    kind: 'list',
    initial: [],
    modes: KERNEL_MODES,
    group: 'traffic',
    help: 'Node ports answer on the node\'s addresses in these ranges, or with the single word "primary" on those of the Node object. Empty: on all (nftables mode: primary).',
  },
  {
    flag: 'masquerade-all',
    field: 'iptables.masqueradeAll',
    kind: 'switch',
    initial: false,
    modes: ['iptables', 'ipvs'],
    group: 'traffic',
    help: 'Masquerade all traffic to cluster IPs, also that of pods.',
  },
  {
    field: 'nftables.masqueradeAll',
    kind: 'switch',
    initial: false,
    follows: 'iptables.masqueradeAll',
    modes: ['nftables'],
    group: 'nftables',
    help: 'The same for nftables mode; without --config the flag --masquerade-all.',
  },
]
