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
  dialects: { may: ['values'], types: ['system/ports.ts'] },
  system: { may: ['values'] },
  config: { may: ['values'] },
  kubernetes: { may: ['values', 'system/ports.ts'] },
  telemetry: {
    may: ['values', ...PORTS],
    types: ['kubernetes', 'proxy/sync', 'proxy/relay/relay-events.ts'],
  },
  'command-line': { may: ['config', 'system', 'telemetry', 'values'] },
  'proxy/cluster': { may: ['values'], types: ['kubernetes'] },
  'proxy/desired': { may: ['proxy/cluster', 'values'], types: ['kubernetes/objects.ts'] },
  'proxy/modes': { may: ['proxy/desired', 'dialects', 'values', ...PORTS] },
  'proxy/plan': { may: ['proxy/modes/mode.ts'] },
  'proxy/sync': {
    may: ['proxy/plan', 'proxy/desired', 'proxy/cluster', 'proxy/modes/mode.ts', 'dialects', 'values', ...PORTS],
  },
  'proxy/node': {
    may: ['config', 'dialects', 'values', ...PORTS],
    types: ['kubernetes/objects.ts', 'proxy/desired', 'proxy/sync/draft.ts', 'telemetry/log'],
  },
  'proxy/relay': { may: ['dialects', 'values', 'system'] },
  'proxy/agent': {
    may: ['proxy', 'kubernetes', 'telemetry', 'config', 'dialects', 'system', 'values', 'command-line'],
  },
  verbs: 'everything',
  'main.ts': 'everything',
}

/** The two wings share data and tools, never each other's code. */
export const WINGS: Readonly<Record<string, readonly string[]>> = {
  proxy: ['ipam', 'cni'],
  ipam: ['proxy'],
  cni: ['proxy'],
  routes: ['proxy'],
}

/** Each package, and where it may be imported: nowhere else, and no other package. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  undici: ['kubernetes'],
  execa: ['system/processes/start-process.ts'],
  pino: ['telemetry/log/klog.ts'],
  yaml: ['kubernetes/sources/files.ts', 'kubernetes/access/kubeconfig-text.ts', 'config'],
  'iptables-parser': ['proxy/modes', 'dialects'],
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
]

/** Rooms that touch the machine. */
export const MACHINE_ROOMS: readonly string[] = ['system', 'proxy/relay', 'ipam/leases']

export const WALL = 250

/** Longer files, each with a reason. */
export const BEYOND_THE_WALL: Readonly<Record<string, string>> = {}
