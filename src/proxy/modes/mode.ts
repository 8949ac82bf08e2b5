import type { Flow } from '#dialects/conntrack.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Command, Kernel } from '#system/ports.ts'
import type { Packet, Path } from './trace.ts'

// What every mode can do. A mode says what `desired` decided in the words of one kernel tool; it decides nothing itself.

/** The smallest thing the kernel replaces in one go: a chain, a jump, a map element, a virtual server. */
export type Unit = string

export interface Entry {
  readonly unit: Unit
  readonly text: string
  /** Several owners write into this unit; their texts stand in the order of the owners' names. */
  readonly shared?: true
}

/**
 * The text of a unit that is left where it stands but takes nothing new, and is not made where it does not stand: an IPVS
 * destination whose clients may finish.
 */
export const LINGERING = 'lingering'

export type Ruleset = ReadonlyMap<Unit, string>

export interface Plan {
  readonly add: Ruleset
  readonly change: Ruleset
  readonly remove: ReadonlySet<Unit>
}

export interface Mode {
  readonly name: 'userspace' | 'iptables' | 'ipvs' | 'nftables'
  /** What stands without a single Service. */
  base(node: NodeView): readonly Entry[]
  /** What one service port adds. */
  service(traffic: ServiceTraffic, node: NodeView): readonly Entry[]
  /** The commands that carry a plan out, in an order in which nothing dangles. */
  write(plan: Plan): readonly Command[]
  /** Of what a plan takes away: what `write` can only empty for now. The next look finds it there, and it goes then. */
  emptied?(plan: Plan): ReadonlySet<Unit>
  /** What is there of ours. */
  read(kernel: Kernel): Promise<Ruleset>
  /** Units that cannot go while somebody else holds on to them, each with what does; asked when something cannot go. */
  holders?(kernel: Kernel): Promise<ReadonlyMap<Unit, string>>
  /** How to hear of changes that somebody else makes, where the kernel tells of them. */
  readonly alarm?: Alarm
  /** Who answers clients besides endpoints, as the kernel sees it. */
  readonly answering?: Answering
  /** Where a packet goes under these rules, hop by hop. */
  trace(rules: Ruleset, packet: Packet): readonly Path[]
}

/** Answerers have names, because their addresses may belong to others by the next start. */
export interface Answering {
  /** Those of one service port. */
  readonly names: (traffic: ServiceTraffic) => readonly string[]
  /** Looks who they are just now; undefined for everybody else. */
  look(kernel: Kernel): Promise<(flow: Flow) => string | undefined>
}

/** A program that tells of every change in the kernel, and how to read what it says. */
export interface Alarm {
  readonly argv: readonly [string, ...string[]]
  /** Whether the line tells of a change to what is ours. */
  concerns(line: string): boolean
  /** The line that ends a transaction names who made it. */
  author(line: string): Author | undefined
  /** Whether that is a program we use; others use it too. */
  isUs(program: string): boolean
  /** Whether this command of ours changes the kernel: then the processes that are told of can be counted against ours. */
  isChange(command: Command): boolean
}

/** One process may make several transactions. Its number need not be the one we know it by: we may live in a container. */
export interface Author {
  readonly program: string
  readonly process: string
}
