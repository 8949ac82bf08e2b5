import type { Flow } from '#dialects/conntrack.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Command, Kernel } from '#system/ports.ts'
import type { Packet, Path } from './trace.ts'

// The contract of a mode. A mode writes what `desired` decided in the language of one kernel tool; it decides nothing
// itself.

/** The smallest thing the kernel replaces in one go: a chain, a jump, a map element, a virtual server. */
export type Unit = string

export interface Entry {
  readonly unit: Unit
  readonly text: string
  /** Several owners write into this unit; their texts stand in the order of the owners' names. */
  readonly shared?: true
}

/**
 * The text of a unit that stays where the kernel has it but takes no new connections, and is not created where the
 * kernel lacks it: an IPVS destination whose clients may finish.
 */
export const LINGERING = 'lingering'

export type Ruleset = ReadonlyMap<Unit, string>

export interface Plan {
  readonly add: Ruleset
  readonly change: Ruleset
  /** Of each unit in `change`, the text that it has now. */
  readonly before: Ruleset
  readonly remove: ReadonlySet<Unit>
}

export interface Mode {
  readonly name: 'userspace' | 'iptables' | 'ipvs' | 'nftables'
  /** The entries of a node without a single Service. */
  base(node: NodeView): readonly Entry[]
  /** The entries one service port adds. */
  service(traffic: ServiceTraffic, node: NodeView): readonly Entry[]
  /** The commands that carry a plan out, in an order in which no rule refers to something that is missing. */
  write(plan: Plan): readonly Command[]
  /**
   * Units of `plan.remove` that `write` can only empty: the next read finds them, and the sync after it deletes them.
   */
  emptied?(plan: Plan): ReadonlySet<Unit>
  /** Our units, as the kernel has them. */
  read(kernel: Kernel): Promise<Ruleset>
  /**
   * Units of ours that foreign rules jump to, each with such a rule: they are blocked while it stands. Read only before
   * a removal.
   */
  foreignRules?(kernel: Kernel): Promise<ReadonlyMap<Unit, string>>
  /** A program that reports changes other programs make, where the kernel has one for them. */
  readonly alarm?: Alarm
  /** Proxy ports, where conntrack shows them in place of endpoints. */
  readonly proxyPorts?: ProxyPorts
  /** The way of a packet under these rules, hop by hop. */
  trace(rules: Ruleset, packet: Packet): readonly Path[]
}

/** Proxy ports are keyed by listener name: after a restart a port may serve another Service. */
export interface ProxyPorts {
  /** The listener names of one service port. */
  readonly listeners: (traffic: ServiceTraffic) => readonly string[]
  /** Reads which listener has which port now. Of a flow: the listener that answers it; undefined where none does. */
  read(kernel: Kernel): Promise<(flow: Flow) => string | undefined>
}

/** A program that reports every change in the kernel, and how to read its lines. */
export interface Alarm {
  readonly argv: readonly [string, ...string[]]
  /** True for a line that reports a change to units of ours. */
  concerns(line: string): boolean
  /** The line that ends a transaction names the program and process that made it. */
  author(line: string): Author | undefined
  /** True for a program that the agent runs; administrators and other agents run it too. */
  isUs(program: string): boolean
  /** True for a command of ours that changes the kernel: reported processes are counted against such commands. */
  isChange(command: Command): boolean
}

/**
 * One process may make several transactions. Its pid need not be the one the agent knows: the agent may run in a
 * container.
 */
export interface Author {
  readonly program: string
  readonly process: string
}
