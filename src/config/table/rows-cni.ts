import type { Setting } from './setting.ts'

// Rows: the verb `cni`, which attaches containers by hand and looks at configurations.

const row = {
  initial: '',
  besideConfig: true,
  verbs: ['cni'],
  group: 'verb',
} as const

export const CNI_ROWS: readonly Setting[] = [
  {
    ...row,
    flag: 'conf-dir',
    kind: 'path',
    verbs: ['cni', 'pods'],
    help: 'The folder of network configurations. Without it, $NETCONFPATH or /etc/cni/net.d. For the daemon of pods, where 10-switchyard.conflist is written once this node has been given a range; without it, none is.',
  },
  {
    ...row,
    flag: 'bin-dir',
    kind: 'list',
    initial: [],
    help: 'A folder with the executables of plugins. May be given several times. Without it, $CNI_PATH or /opt/cni/bin. With lint, plugins that are not there are named.',
  },
  {
    ...row,
    flag: 'container-id',
    kind: 'text',
    help: 'The id of the container. Without it, one that is made of NETNS, as cnitool makes it.',
  },
  {
    ...row,
    flag: 'ifname',
    short: 'i',
    kind: 'text',
    help: 'The name of the interface in the container. Without it, $CNI_IFNAME or eth0.',
  },
  {
    ...row,
    flag: 'args',
    kind: 'text',
    help: 'CNI_ARGS for the plugins: "KEY=VALUE;KEY=VALUE". Without it, $CNI_ARGS.',
  },
  {
    ...row,
    flag: 'capability-args',
    kind: 'text',
    help: 'What plugins get for the capabilities they declare, as JSON: {"portMappings": [...]}. Without it, $CAP_ARGS.',
  },
  {
    ...row,
    flag: 'cache-dir',
    kind: 'path',
    initial: '/var/lib/cni',
    help: 'Where the results of ADDs are kept for the DELs and CHECKs to come, in the files of libcni.',
  },
  {
    ...row,
    flag: 'valid-attachments',
    kind: 'list',
    initial: [],
    help: 'With gc: the attachments that are valid, as CONTAINER/IFNAME; all others are deleted. "none" where no attachment is. Without it, none is deleted, and plugins collect what they themselves know to be left.',
  },
  {
    ...row,
    flag: 'service-cluster-ip-range',
    kind: 'text',
    verbs: ['cni', 'ipam', 'ranges'],
    help: 'With "cni lint", "ipam plan" and "ranges": the range of Services, or one of each family separated by a comma; pods must have no address in it.',
  },
]
