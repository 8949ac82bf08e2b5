import type { DhcpBook } from '#ipam/leases/dhcp/dhcp-book.ts'
import type { LeaseBook } from '#ipam/leases/lease-book.ts'
import type { RuleBook } from '#ipam/leases/rules/rule-book.ts'
import type { Networks } from '#system/network/network.ts'
import type { PacketLinks } from '#system/packets/packet-link.ts'
import type { Clock, Kernel, RuleJump, RulesetChange, SetElement } from '#system/ports.ts'
import type { Address, Family } from '#values/address.ts'
import type { CniRequest } from '../protocol/request.ts'
import type { CniResult } from '../protocol/result.ts'

// What a plugin is: five answers to a runtime. A failure is a CniError; what a failed `add` has made, it takes back itself.

export interface CniPlugin {
  /** The name in a configuration's `type`. */
  readonly type: string
  add(request: CniRequest, parts: PluginParts): Promise<CniResult>
  /** Succeeds where nothing is left to take back, and does not depend on what only the ADD knew. */
  del(request: CniRequest, parts: PluginParts): Promise<void>
  check(request: CniRequest, parts: PluginParts): Promise<void>
  status(request: CniRequest, parts: PluginParts): Promise<void>
  /** Takes back whatever belongs to no valid attachment of this network. */
  gc(request: CniRequest, parts: PluginParts): Promise<void>
}

/** The machine under a plugin, the same in the daemon and in the process that works without it. */
export interface PluginParts {
  readonly networks: Networks
  readonly kernel: Kernel
  readonly clock: Clock
  readonly files: PluginFiles
  readonly delegates: Delegates
  /**
   * Whether a chain is there, asked without a process; absent where the kernel cannot be asked. True also where it takes a
   * program to know: iptables-nft's tables are in the nftables ruleset, iptables-legacy keeps its own.
   */
  readonly hasChain?: (at: PluginChain) => boolean
  /** What is in a set or map of the nftables ruleset, asked likewise: none where it is absent, undefined where it takes `nft` to know. */
  readonly elements?: (at: PluginSet) => readonly SetElement[] | undefined
  /** The rules of a chain of the nftables ruleset that lead to other chains, asked likewise. */
  readonly jumps?: (at: PluginChain) => readonly RuleJump[] | undefined
  /** Changes the nftables ruleset without a process, all or none. False where it takes a program: to do it, or to say why not. */
  readonly change?: (changes: readonly RulesetChange[]) => boolean
  /** Connections that the kernel tracks for addresses that are given back, soon: it takes longer than a runtime should wait. */
  readonly forgetConnections?: (addresses: readonly Address[]) => void
  /** Absent where this process cannot have raw sockets: then no address can be asked of a DHCP server. */
  readonly packets?: PacketLinks
  /** What DHCP servers have granted; absent together with `packets`. */
  dhcpLeases?(): Promise<DhcpBook>
  /** Aborts when this process is to end: what may take long gives up, and the runtime asks the next one. */
  readonly stopping?: AbortSignal
  /** Where rules are kept that must come back after a flush; absent where no daemon would look after them. */
  rules?(): Promise<RuleBook>
  /** Opened when it is first needed: a `loopback` needs no database. */
  leases(): Promise<LeaseBook>
}

export interface PluginChain {
  readonly family: Family
  readonly table: string
  readonly chain: string
}

export interface PluginSet {
  readonly family: Family
  readonly table: string
  readonly set: string
}

export interface PluginFiles {
  /** Undefined where there is no such file. */
  read(path: string): Promise<string | undefined>
  /** Identity of a network namespace, e.g. `4:4026532281`; undefined where nothing is at the path. Fails where that cannot be said. */
  namespaceId(path: string): Promise<string | undefined>
  /** Changes with each start of the machine. */
  bootId(): Promise<string>
}

/**
 * Runs the plugin that a configuration names, `ipam.type`: the executable found in CNI_PATH, or our own code where the
 * executable found is ours, or none is found and we have a plugin of that name.
 */
export interface Delegates {
  add(type: string, request: CniRequest): Promise<CniResult>
  del(type: string, request: CniRequest): Promise<void>
  check(type: string, request: CniRequest): Promise<void>
  status(type: string, request: CniRequest): Promise<void>
  gc(type: string, request: CniRequest): Promise<void>
}
