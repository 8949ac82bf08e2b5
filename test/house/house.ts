// The plan of the house: which room may import which, what may touch the machine, which package is for what. A path names a
// file or a whole folder, from src/ on; `…*` stands for any ending.

export interface Floor {
  readonly may: readonly string[]
  /** Of these, types alone. */
  readonly types?: readonly string[]
}

const PORTS = ['system/ports.ts', 'system/must.ts']

/** What a room may import besides its own files. main.ts and verbs/ put everything together and may import all of src. */
export const FLOORS: Readonly<Record<string, Floor | 'everything'>> = {
  values: { may: [] },
  dialects: { may: ['values', 'system/must.ts'], types: ['system/ports.ts', 'system/network'] },
  system: { may: ['values'] },
  config: { may: ['values'] },
  kubernetes: { may: ['values', 'system/ports.ts'] },
  telemetry: {
    may: ['values', ...PORTS],
    types: ['kubernetes', 'proxy/sync', 'proxy/relay/relay-events.ts'],
  },
  // It knows neither wing: each gives it what it shows, as data.
  page: { may: ['values'], types: ['kubernetes/objects.ts', 'system/ports.ts', 'system/sockets.ts'] },
  'command-line': { may: ['config', 'system', 'telemetry', 'values'] },
  'proxy/cluster': { may: ['values'], types: ['kubernetes'] },
  'proxy/desired': { may: ['proxy/cluster', 'values'], types: ['kubernetes/objects.ts'] },
  'proxy/modes': { may: ['proxy/desired', 'dialects', 'values', ...PORTS] },
  'proxy/plan': { may: ['proxy/modes/mode.ts'] },
  'proxy/sync': {
    may: [
      ...['proxy/plan', 'proxy/desired', 'proxy/cluster', 'proxy/modes/mode.ts', 'proxy/modes/unit.ts', 'dialects'],
      ...['values', ...PORTS],
    ],
  },
  'proxy/node': {
    may: ['proxy/desired/masquerade.ts', 'config', 'dialects', 'values', ...PORTS],
    types: ['kubernetes/objects.ts', 'proxy/desired', 'proxy/sync/draft.ts', 'telemetry/log'],
  },
  'proxy/relay': { may: ['dialects', 'values', 'system'] },
  'proxy/agent': {
    may: [
      ...['proxy', 'explain', 'kubernetes', 'page', 'telemetry', 'config', 'dialects', 'system', 'values'],
      'command-line',
    ],
  },
  'ipam/ranges': { may: ['values'] },
  'ipam/leases': { may: ['ipam/ranges', 'values', ...PORTS] },
  'ipam/plan': { may: ['ipam/ranges', 'ipam/services/bands.ts', 'values'] },
  'ipam/overview': { may: ['ipam/ring', 'ipam/services', 'values'] },
  'ipam/table': { may: ['ipam/ranges', 'values'], types: ['ipam/leases'] },
  'ipam/answers': {
    may: ['ipam/ranges', 'ipam/ring', 'ipam/table', 'values'],
    types: ['ipam/leases'],
  },
  'ipam/commands': {
    may: ['ipam/answers', 'ipam/leases', 'ipam/plan', 'ipam/table', 'values'],
    types: ['config/settings.ts', 'system/ports.ts'],
  },
  'ipam/services': { may: ['values'] },
  'ipam/ring': { may: ['values', ...PORTS] },
  'ipam/nodes': { may: ['values', ...PORTS], types: ['kubernetes/objects.ts'] },
  'ipam/sources': {
    may: ['ipam/ranges', 'ipam/ring', 'values', ...PORTS],
    types: ['ipam/leases', 'kubernetes/objects.ts'],
  },
  'ipam/witnesses': { may: ['ipam/leases/lease-book.ts', 'values', 'system/network/network.ts', ...PORTS] },
  'cni/protocol': { may: ['values', ...PORTS] },
  'cni/delegation': {
    may: ['cni/protocol', 'dialects', 'values', ...PORTS],
    types: ['cni/plugins/plugin.ts', 'system/executables.ts'],
  },
  'cni/lint': {
    may: [
      ...['cni/protocol', 'cni/plugins/bridge/configuration.ts', 'cni/plugins/portmap/mapping.ts'],
      ...['ipam/ranges', 'config/table/nearest.ts', 'values'],
    ],
  },
  'cni/commands': {
    may: ['cni/protocol', 'cni/runner', 'cni/lint', 'values'],
    types: ['cni/answer.ts', 'config/settings.ts', 'system/network/network.ts', 'system/plain-files.ts'],
  },
  'cni/runner': {
    may: ['cni/answer.ts', 'cni/delegation', 'cni/protocol', 'values', ...PORTS],
    types: ['system/plain-files.ts'],
  },
  'cni/answer.ts': {
    may: ['cni/delegation', 'cni/protocol', 'values', ...PORTS],
    types: ['cni/plugins/plugin.ts', 'system/executables.ts'],
  },
  'cni/plugins': {
    may: [
      ...['cni/protocol', 'ipam', 'dialects', 'values', 'system/network/network.ts', 'system/packets/packet-link.ts'],
      ...PORTS,
    ],
  },
  'cni/leaks': {
    may: [
      ...['cni/plugins/bridge/leftovers.ts', 'cni/plugins/dhcp/ended.ts', 'cni/plugins/portmap/portmap.ts'],
      ...['ipam', 'values', 'system/network/network.ts', ...PORTS],
    ],
    types: ['cni/plugins/plugin.ts'],
  },
  'cni/repair': {
    may: ['cni/plugins/bridge/rules/kept-masquerade.ts', 'cni/plugins/portmap/kept-mappings.ts'],
    types: ['cni/plugins/kept-rules.ts', 'ipam/leases/rules/rule-book.ts'],
  },
  'cni/network': { may: ['dialects', 'values', 'system/network', ...PORTS] },
  'cni/install': {
    may: ['cni/protocol', 'values', ...PORTS],
    types: ['system/placed-files.ts', 'system/executables.ts'],
  },
  'routes/cluster': {
    may: ['kubernetes/node-picture.ts', 'values'],
    types: ['kubernetes/event.ts', 'kubernetes/objects.ts'],
  },
  'routes/plan': { may: ['routes/cluster', 'values'], types: ['system/network'] },
  'routes/kernel': { may: ['routes/plan', 'values', 'system/network/network.ts'] },
  'routes/masquerade': { may: ['dialects', 'values', ...PORTS], types: ['telemetry/log'] },
  routes: {
    may: ['values', 'system/network', ...PORTS],
    types: ['telemetry/log', 'kubernetes/event.ts', 'kubernetes/objects.ts'],
  },
  'cni/daemon': {
    may: [
      ...['cni', 'routes', 'ipam', 'page', 'kubernetes', 'telemetry', 'config', 'dialects', 'system', 'values'],
      'command-line',
    ],
  },
  'ranges/overview': {
    may: [
      ...['ipam', 'kubernetes', 'config', 'system', 'values', 'command-line'],
      ...['cni/network', 'cni/plugins/host-local/configuration.ts', 'operator/source/live-api.ts'],
      'routes/plan/route-plan.ts',
    ],
  },
  'ranges/controller': {
    may: ['ipam', 'kubernetes', 'telemetry', 'config', 'system', 'values', 'command-line'],
  },
  // Both wings meet here: what a packet meets on its way, and what a node should have.
  explain: {
    may: [
      'proxy/cluster',
      'proxy/desired',
      'proxy/modes/mode.ts',
      'proxy/modes/trace.ts',
      'config/table/nearest.ts',
      'values',
    ],
    types: ['kubernetes/objects.ts', 'system/network'],
  },
  verify: {
    may: ['proxy/modes/mode.ts', 'proxy/modes/trace.ts', 'proxy/modes/unit.ts', 'values'],
    types: ['proxy/desired', 'routes/plan', 'system/network'],
  },
  operator: 'everything',
  verbs: 'everything',
  'cni.ts': 'everything',
  'main.ts': 'everything',
}

/** The two wings share data and tools, never each other's code. */
export const WINGS: Readonly<Record<string, readonly string[]>> = {
  proxy: ['ipam', 'cni'],
  ipam: ['proxy'],
  cni: ['proxy'],
  routes: ['proxy'],
  ranges: ['proxy'],
}

/** Each package, and where it may be imported: nowhere else, and no other package. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  undici: ['kubernetes'],
  execa: ['system/processes/start-process.ts'],
  pino: ['telemetry/log/klog.ts'],
  yaml: ['kubernetes/sources/files.ts', 'kubernetes/access/kubeconfig-text.ts', 'config'],
  'iptables-parser': ['proxy/modes', 'dialects'],
  // In a chunk of its own, which the agent never loads: see bundle.test.ts.
  '@kubernetes/client-node': ['kubernetes/operator'],
}

/** Packages of which types alone may be used, and where. */
export const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': ['kubernetes/decode', 'kubernetes/watch/frames.ts', 'kubernetes/event-writer.ts'],
}

/** Files outside of src/, by who may import them. */
export const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  // The version is written down once.
  '../package.json': ['command-line/version.ts'],
}

/** What only system/ may import as a value: it reaches the machine. */
export const EFFECT_MODULES: readonly string[] = [
  ...['node:fs', 'node:fs/promises', 'node:child_process', 'node:net', 'node:dgram', 'node:http', 'node:https'],
  ...['node:http2', 'node:os', 'node:tls', 'node:dns', 'node:dns/promises', 'node:worker_threads', 'node:cluster'],
  ...['node:timers', 'node:timers/promises', 'node:process', 'node:readline', 'node:perf_hooks', 'node:v8', 'node:vm'],
  ...['node:inspector', 'node:inspector/promises'],
]

/** Functions of those modules that only look at their argument. */
export const PURE: Readonly<Record<string, readonly string[]>> = {
  'node:net': ['isIP', 'isIPv4', 'isIPv6'],
}

export interface Exception {
  readonly in: string
  /** Modules, and things as `process.argv` and `setTimeout`. */
  readonly uses: readonly string[]
  readonly why: string
}

export const EFFECTS_ELSEWHERE: readonly Exception[] = [
  {
    in: 'main.ts',
    uses: ['process.argv'],
    why: 'the one place where the words of the user come in',
  },
  {
    in: 'cni.ts',
    uses: ['process.argv'],
    why: 'here come the words of the helper in C',
  },
]

/** Rooms that touch the machine. */
export const MACHINE_ROOMS: readonly string[] = ['system', 'proxy/relay', 'ipam/leases']

export const WALL = 250

/** Longer files, each with a reason. */
export const BEYOND_THE_WALL: Readonly<Record<string, string>> = {}
