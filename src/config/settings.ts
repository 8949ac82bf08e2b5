import type { Address, Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { PortRange } from '#values/port-range.ts'
import type { Listen } from './addresses.ts'
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
  readonly logging: LoggingSettings

  /** The verbs' own settings. */
  readonly filenames: readonly string[]
  /** Absent: both families. */
  readonly family?: Family
  readonly as: 'restore' | 'script'
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
