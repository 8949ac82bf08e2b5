import type { Needs, NodeView } from '#proxy/desired/node-view.ts'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Command, Flow, Kernel, RulesetDump, Touch } from '#system/ports.ts'
import type { Packet, Path } from './trace.ts'
import type { Part, Unit } from './unit.ts'

export type { Part, Unit } from './unit.ts'

// The contract of a mode. A mode writes what `desired` decided in the language of one kernel tool; it decides nothing
// itself.

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
  /** Of each unit in `change`, the text that it has now, where that is known. */
  readonly before: Ruleset
  readonly remove: ReadonlySet<Unit>
}

/** What is known of a mode without the tools of a host. */
export interface ModeTraits {
  readonly name: string
  /** What its rules depend on, besides Services and settings. */
  readonly needs: Needs
  /** The numbers that kube-proxy keeps of such a mode. */
  readonly numbers?: KubeProxyNumbers
}

export interface KubeProxyNumbers {
  /** Syncs that read the kernel and those that do not are counted apart. */
  readonly stages?: true
  /** Rules are counted by table. */
  readonly rules?: true
  /** Failures are counted once more under the name of this tool. */
  readonly failures?: 'nft'
}

/** Six verbs, and what only some modes can: each of these capabilities is one optional member. */
export interface Mode extends ModeTraits {
  /** The entries of a node without a single Service. */
  base(node: NodeView): readonly Entry[]
  /** The entries one service port adds. */
  service(traffic: ServiceTraffic, node: NodeView): readonly Entry[]
  /**
   * A very large plan as several, to be carried out one after another: what all commands together are given to read is never in
   * memory at once.
   */
  portions(plan: Plan): Iterable<Plan>
  /** The commands that carry a plan out, in an order in which no rule refers to something that is missing. */
  write(plan: Plan): readonly Command[]
  /** Our units, as the kernel has them. */
  read(kernel: Kernel, dump?: RulesetDump): Promise<Ruleset>
  /** The way of a packet under these rules, hop by hop. */
  trace(rules: Ruleset, packet: Packet): readonly Path[]

  /**
   * Units of `plan.remove` that `write` can only empty: the next read finds them, and the sync after it deletes them.
   */
  emptied?(plan: Plan): ReadonlySet<Unit>
  /**
   * Units of ours that foreign rules jump to, each with such a rule: they are blocked while it stands. Read only before
   * a removal.
   */
  foreignRules?(kernel: Kernel, about?: AboutUnits): Promise<ReadonlyMap<Unit, string>>
  /** What commits of other programs mean here, where the kernel reports changes of what this mode writes. */
  readonly watches?: Watches
  /** Proxy ports, where conntrack shows them in place of endpoints. */
  readonly proxyPorts?: ProxyPorts
}

/** Only these units are asked about, and the kernel lists what leads to them without a program. */
export interface AboutUnits {
  readonly units: ReadonlySet<Unit>
  readonly dump: RulesetDump
}

/** Proxy ports are keyed by listener name: after a restart a port may serve another Service. */
export interface ProxyPorts {
  /** A unit that is a listener exists only in the process that listens. */
  isListener(unit: Unit): boolean
  /** The listener names of one service port. */
  readonly listeners: (traffic: ServiceTraffic) => readonly string[]
  /** Reads which listener has which port now. Of a flow: the listener that answers it; undefined where none does. */
  read(kernel: Kernel): Promise<(flow: Flow) => string | undefined>
}

export interface Watches {
  /**
   * The name under which the kernel reports what this command of ours commits; undefined for one that commits nothing.
   * Administrators and other agents run the same programs.
   */
  author(command: Command): string | undefined
  /** Where units of ours may have changed by this touch of another program. */
  concerns(touch: Touch): Part | 'everything' | 'nothing'
  /** Absent where all is read after any such touch. */
  readonly parts?: Parts
  /** True where the kernel does not report changes of some of our units: it is read every sync period all the same. */
  readonly isPartial?: true
}

export interface Parts {
  /** Undefined for a unit that stands in none: no commit changes it. */
  of(unit: Unit): Part | undefined
  /** The unit that is all of this part; undefined where rules of other programs stand beside ours: then the part must be read. */
  unitOf(part: Part): Unit | undefined
  /** Our units in these parts, as the kernel has them; undefined where all must be read. */
  read(kernel: Kernel, parts: ReadonlySet<Part>, dump?: RulesetDump): Promise<Ruleset | undefined>
  /** Present where every unit stands in a part, and each part's rules can be recognised without reading them as text. */
  readonly prints?: Prints
}

/** What the kernel lists of the parts of a mode, by itself. */
export interface Prints {
  /** Shared parts that may be there. */
  readonly shared: readonly Part[]
  /** Parts of ours that are there, and shared ones. */
  standing(dump: RulesetDump): Iterable<Part>
  /** A number that is another where any rule of the part is; undefined where the part is not there. */
  of(dump: RulesetDump, part: Part): number | undefined
}
