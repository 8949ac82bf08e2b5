// The plan of the house: who may import whom, who may touch the machine, which package is for whom. A path names a file or
// a whole folder, from src/ on; `…*` stands for any ending.

export interface Floor {
  readonly may: readonly string[]
  /** Of these, types alone. */
  readonly types?: readonly string[]
}

/** What a folder may import besides its own files. verbs/ and main.ts put everything together and may import all. */
export const FLOORS: Readonly<Record<string, Floor | 'everything'>> = {
  values: { may: [] },
  'iptables-parser': { may: [] },
  dialects: { may: ['values', 'iptables-parser'], types: ['system/ports.ts'] },
  api: { may: ['values', 'system/ports.ts'] },
  cluster: { may: ['values'], types: ['api'] },
  desired: { may: ['cluster', 'values'], types: ['api/objects.ts'] },
  modes: { may: ['desired', 'dialects', 'values', 'iptables-parser', 'system/ports.ts', 'system/must.ts'] },
  plan: { may: ['modes/mode.ts'] },
  sync: {
    may: ['plan', 'desired', 'cluster', 'dialects', 'modes/mode.ts', 'system/ports.ts', 'system/must.ts', 'values'],
  },
  system: { may: ['values'] },
  telemetry: { may: ['values', 'sync/report.ts', 'system/ports.ts'] },
  config: { may: ['values'] },
  verbs: 'everything',
  'main.ts': 'everything',
}

/** Each package, and where it may be imported: nowhere else, and no other package. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  undici: ['api'],
  execa: ['system/kernel.ts'],
  pino: ['telemetry/klog.ts'],
  yaml: ['api/files.ts', 'api/access/kubeconfig-text.ts', 'config'],
}

/** Files outside of src/, by who may import them. */
export const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  // The version is written down once.
  '../package.json': ['verbs/version.ts'],
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
    in: 'verbs/sandbox/api*',
    uses: ['node:http', 'node:https', 'setImmediate', 'setTimeout', 'setInterval', 'Date.now'],
    why: "the sandbox's mini API server is a server: it answers, bookmarks and gives out dates by the real clock",
  },
  {
    in: 'main.ts',
    uses: ['process.argv'],
    why: 'the one place where the words of the user come in',
  },
]

export const WALL = 250

/** Longer files, each with a reason. */
export const BEYOND_THE_WALL: Readonly<Record<string, string>> = {}
