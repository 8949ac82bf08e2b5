import type { Address, Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { PortRange } from '#values/port-range.ts'
import type { Listen } from './addresses.ts'
import type { RingInitChoice } from './ring-choice.ts'
import type { ModeName } from './table/setting.ts'

// What the rest of the program gets to see of flags and file: typed, complete, checked.

export interface Settings {
  readonly mode: ModeName
  /** The file the settings came from; a change of it ends the process. */
  readonly configFile?: string
  readonly writeConfigTo?: string
  /** `--version=vX.Y.Z`: the version to report instead of our own. */
  readonly reportedVersion?: string
  readonly kubeconfig?: string
  readonly master?: string
  /** Lower case; absent where the host name counts. */
  readonly hostnameOverride?: string
  readonly oomScoreAdj: number

  readonly bindAddress: Address
  readonly clusterCIDRs: readonly Cidr[]
  readonly detectLocal: DetectLocal
  readonly nodePortAddresses: readonly Cidr[] | 'primary'

  /** Of the chosen mode. */
  readonly syncPeriodMs: number
  /** 0: no gathering, every change is written at once. */
  readonly minSyncPeriodMs: number
  readonly masqueradeBit: number
  readonly masqueradeAll: boolean

  readonly iptables: { readonly localhostNodePorts: boolean }
  readonly ipvs: IpvsSettings
  readonly userspace: { readonly portRange: PortRange | 'any'; readonly udpTimeoutMs: number }
  readonly conntrack: ConntrackSettings

  /** Absent: turned off. */
  readonly healthz?: Listen
  /** Absent: turned off. */
  readonly metrics?: Listen
  readonly bindAddressHardFail: boolean
  /** Whether the metrics address serves profiles of this program. */
  readonly profiling: boolean
  /** Whether a page for people is served at the metrics address. `auto`: where that is a loopback address. */
  readonly page: 'auto' | 'on' | 'off'
  /** Of the pods' daemon. Absent: turned off. */
  readonly podsMetrics?: Listen
  readonly leaks: LeakSettings
  readonly ranges: RangesSettings
  readonly podRanges: PodRangesSettings
  readonly routes: RoutesSettings
  readonly logging: LoggingSettings

  /** The verbs' own settings. */
  readonly filenames: readonly string[]
  /** Absent: both families. */
  readonly family?: Family
  readonly as: 'restore' | 'script'
  readonly ipam: IpamSettings
  readonly cni: CniSettings
  /** What would be printed as JSON is printed as YAML. */
  readonly yaml: boolean
  /** Of the kubeconfig. Absent: the current one. */
  readonly context?: string
  readonly questions: QuestionSettings
}

/** How `explain` and `verify` find out, and what they do. */
export interface QuestionSettings {
  readonly output: 'text' | 'json'
  /** Of this node's leases. */
  readonly database: string
  /** The rules that the kernel has, not those that it should have. */
  readonly live: boolean
  /** A real packet goes, too. */
  readonly send: boolean
  readonly repair: boolean
}

/** What `cni` works with; what is absent comes from cnitool's variables. */
export interface CniSettings {
  readonly confDir?: string
  /** Empty: not given. */
  readonly binDirs: readonly string[]
  readonly containerId?: string
  readonly ifname?: string
  /** As in CNI_ARGS. */
  readonly args?: string
  /** JSON. */
  readonly capabilityArgs?: string
  readonly cacheDir: string
  /** `CONTAINER/IFNAME` */
  readonly validAttachments: readonly string[]
  readonly serviceRanges: readonly Cidr[]
  readonly output: 'text' | 'json'
  readonly database: string
  readonly replaceStandardPlugins: boolean
  /** Host-local's directory, whose leases are taken over with `install`. */
  readonly importFrom?: string
  /** The same, to which they are given back with `uninstall`. */
  readonly exportTo?: string
}

/** What the pods' daemon does about leases whose pods are gone. */
export interface LeakSettings {
  readonly found: 'report' | 'free'
  /** 0: none are looked for. */
  readonly periodMs: number
}

/** Where the pods' daemon takes the ranges of this node from. */
export interface PodRangesSettings {
  readonly from: 'config' | 'node' | 'ring'
  /** Absent: what the environment says, or Weave's. */
  readonly range?: Cidr
  readonly init: RingInitChoice
  /** Absent: the whole range. */
  readonly subnet?: Cidr
}

/** Of the pods' daemon: routes to the ranges of other nodes. */
export interface RoutesSettings {
  readonly keep: 'auto' | 'on' | 'off'
  readonly overlay: 'auto' | 'none' | 'vxlan'
  readonly vni: number
  readonly port: number
  readonly masquerade: 'auto' | 'nftables' | 'iptables' | 'none'
}

/** What the controller of node ranges divides, and how. */
export interface RangesSettings {
  /** 0, here and below: the usual one of the family. */
  readonly nodeMask: number
  readonly nodeMaskOf: Readonly<Record<Family, number>>
  readonly serviceRanges: readonly Cidr[]
  readonly nodePorts: PortRange
  readonly plan: { readonly maxPods: number; readonly nodes: number }
  /** From the deletion of a Node on. */
  readonly cooldownMs: number
  readonly leader: LeaderSettings
  /** Absent: turned off. */
  readonly metrics?: Listen
}

export interface LeaderSettings {
  /** Otherwise it works from the start, and beside others. */
  readonly elect: boolean
  readonly leaseMs: number
  readonly renewMs: number
  readonly retryMs: number
  readonly name: string
  /** Of the Lease and of the record. */
  readonly namespace: string
}

/** What `ipam` shows, and of which database. */
export interface IpamSettings {
  readonly database: string
  readonly output: 'table' | 'wide' | 'json'
  /** Absent: all of them. */
  readonly network?: string
  /** Every free address by itself. */
  readonly all: boolean
  /** `gc` takes back what is leaked. */
  readonly free: boolean
  /** `release` frees what is in use, too. */
  readonly force: boolean
  /** `ls` goes on, and prints anew on each change. */
  readonly watch: boolean
  /** RFC 3339, or a duration for that long ago. Absent: now. */
  readonly at?: string
  readonly plan: PlanSettings
}

/** What `plan` reckons with. */
export interface PlanSettings {
  /** Absent: as kube-controller-manager divides. */
  readonly nodeMask?: number
  readonly podsPerNode: number
  readonly churnPerMinute: number
  readonly serviceRanges: readonly Cidr[]
}

export type DetectLocal =
  | { readonly mode: 'ClusterCIDR' }
  | { readonly mode: 'NodeCIDR' }
  | { readonly mode: 'BridgeInterface'; readonly bridgeInterface: string }
  | { readonly mode: 'InterfaceNamePrefix'; readonly interfaceNamePrefix: string }

/** A timeout of 0 leaves the kernel's. */
export interface IpvsSettings {
  readonly scheduler: string
  readonly excludeCIDRs: readonly Cidr[]
  readonly strictARP: boolean
  readonly tcpTimeoutMs: number
  readonly tcpFinTimeoutMs: number
  readonly udpTimeoutMs: number
}

/** A maximum or timeout of 0 leaves the kernel's. */
export interface ConntrackSettings {
  readonly maxPerCore: number
  readonly min: number
  readonly tcpEstablishedTimeoutMs: number
  readonly tcpCloseWaitTimeoutMs: number
  readonly tcpBeLiberal: boolean
  readonly udpTimeoutMs: number
  readonly udpStreamTimeoutMs: number
}

export interface LoggingSettings {
  readonly format: 'text' | 'json'
  readonly verbosity: number
  readonly vmodule: readonly { readonly pattern: string; readonly verbosity: number }[]
}

/** The name of this Node object: the override, or else the host name, in lower case. */
export function nodeName({ hostnameOverride }: Pick<Settings, 'hostnameOverride'>, hostname: string): string {
  return hostnameOverride ?? hostname.trim().toLowerCase()
}
