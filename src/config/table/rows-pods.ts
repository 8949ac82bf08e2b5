import type { Setting } from './setting.ts'

// Rows: the daemon of the pod network, and what is installed for it.

/** Beside kube-proxy's 10249 and 10256, and no component of Kubernetes. */
export const PODS_METRICS = '127.0.0.1:10245'

export const POD_ROWS: readonly Setting[] = [
  {
    flag: 'replace-standard-plugins',
    kind: 'switch',
    initial: false,
    besideConfig: true,
    verbs: ['cni'],
    group: 'verb',
    help: 'With install: also in the place of bridge, dhcp, host-local, loopback and portmap, so that configurations stay as they are. Those that are there are kept, and uninstall puts them back.',
  },
  {
    flag: 'import',
    kind: 'path',
    initial: '',
    besideConfig: true,
    verbs: ['cni'],
    group: 'verb',
    help: "With install and --replace-standard-plugins: take over the leases in host-local's directory, such as /var/lib/cni/networks, as its executable is replaced, and close the directory to it. What was taken over before is not imported again.",
  },
  {
    flag: 'export',
    kind: 'path',
    initial: '',
    besideConfig: true,
    verbs: ['cni'],
    group: 'verb',
    help: "With uninstall: write the leases to host-local's directory as its executable is put back, and open the directory to it.",
  },
  {
    flag: 'pods-metrics-bind-address',
    kind: 'addressPort',
    initial: PODS_METRICS,
    verbs: ['pods'],
    group: 'servers',
    help: "Where the pods' daemon answers /metrics, /healthz and /livez. Empty turns the server off.",
  },
]
