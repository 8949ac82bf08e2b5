import type { Verb } from '#config/verbs.ts'
import type { KindName, Value } from './kinds.ts'

// One row of the settings table: everything flags, file, help, validation and documentation know of a setting.

export type ModeName = 'userspace' | 'iptables' | 'ipvs' | 'nftables'
export const MODES: readonly ModeName[] = ['userspace', 'iptables', 'ipvs', 'nftables']

export const DETECT_MODES = ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'] as const

/** The headings of --help, in their order. */
export const GROUPS = {
  verb: 'This verb',
  start: 'Starting and stopping',
  cluster: 'API server and node',
  traffic: 'What is proxied, and how',
  iptables: 'iptables mode',
  ipvs: 'ipvs mode',
  nftables: 'nftables mode',
  userspace: 'userspace mode',
  conntrack: 'Connection tracking',
  leaks: 'Leaked addresses',
  routes: 'Routes to other nodes',
  nodes: 'Ranges of nodes',
  leader: 'Leader election',
  servers: 'Health and metrics',
  logging: 'Logging',
  accepted: 'Accepted for compatibility, without effect',
} as const

export interface Setting {
  /** The name of the flag, without dashes; absent where only the file has the setting. */
  readonly flag?: string
  /** Its one-letter form. */
  readonly short?: string
  /** The path in a KubeProxyConfiguration; absent where only the command line has the setting. */
  readonly field?: string
  readonly kind: KindName
  /** All that may be given, besides nothing at all where that is the default. */
  readonly words?: readonly string[]
  /** The value where none is given. */
  readonly initial: Value
  /** The same with --config, where it differs. */
  readonly fileInitial?: Value
  /** Without --config, what the flag of this other field says. */
  readonly follows?: string
  /** A zero in the file is a value. Otherwise it means "not given", as in every Go program. */
  readonly zeroCounts?: true
  /** The same, unless this other field is zero beside it: so Go writes a block that was never filled in. */
  readonly zeroCountsUnlessZero?: string
  /** Left out of the written configuration where it is zero. */
  readonly omitZero?: true
  /** The modes in which it means something; absent for all. */
  readonly modes?: readonly ModeName[]
  /** The verbs that read it; absent for `run` alone. A verb lists and accepts no other. */
  readonly verbs?: readonly Verb[]
  /** The flag also counts beside --config. */
  readonly besideConfig?: true
  /** What to use instead. */
  readonly deprecated?: string
  /** Accepted and without effect, for this reason. */
  readonly noEffect?: string
  /** Only older kube-proxies print it among their flags. */
  readonly legacy?: true
  readonly group: keyof typeof GROUPS
  readonly help: string
}

/** All verbs that write rules or compare with them: what shapes rules matters to each. */
export const RULES: readonly Verb[] = ['run', 'render', 'verify', 'explain']
/** The verbs that run until they are stopped. */
export const DAEMONS: readonly Verb[] = ['run', 'pods', 'ranges']
/** The verbs that ask the API server. */
export const API: readonly Verb[] = ['run', 'render', 'verify', 'explain', 'pods', 'ipam', 'ranges']
/** The verbs that read a KubeProxyConfiguration. */
export const CONFIGURED: readonly Verb[] = [...RULES, 'setup']

/** How the rest of the program names a setting. */
export function keyOf(setting: Setting): string {
  return setting.field ?? `--${setting.flag}`
}

/** The name in messages: both of its names, the one that was used first. */
export function nameOf({ flag, field }: Setting, used: 'flag' | 'file' = 'flag'): string {
  if (flag === undefined || field === undefined) return field ?? `--${flag}`
  return used === 'file' ? `${field} (--${flag})` : `--${flag} (${field})`
}

export function verbsOf({ verbs }: Setting): readonly Verb[] {
  return verbs ?? ['run']
}
