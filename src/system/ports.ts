import type { Address, Family } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'

// What the pure rooms may ask of the machine. The real implementations are beside this file.

/** A program to run. Text goes in on stdin; nothing is ever passed through a shell. */
export interface Command {
  /** What it is for: metrics and logs count by this, not by the words of `argv`. */
  readonly does: Purpose
  /** Set where it concerns the rules or connections of one family alone. */
  readonly family?: Family
  readonly argv: readonly [string, ...string[]]
  /** The program that does the work, where `argv[0]` only starts it: `conntrack` behind `sh`. */
  readonly program?: string
  readonly input?: string
  /** Variables on top of those the program would get anyway. */
  readonly env?: Readonly<Record<string, string>>
  /** The program and its children are ended after this long; the outcome then has the code TIMED_OUT. */
  readonly timeoutMs?: number
  /** For a program that goes on after a line it could not carry out, and ends with 0 all the same. */
  readonly stderr?: 'means-failure'
  /** Commands that name the same thing here disturb each other: they run one after another. */
  readonly alone?: string
}

/**
 * `look` reads rules from the kernel, `restore` writes an iptables document, `conntrack` lists or deletes connections,
 * `write` changes anything else, `other` is the rest: a version, a setting that is read, a credential.
 */
export type Purpose = 'look' | 'restore' | 'conntrack' | 'write' | 'other'

/** A command that fails is an outcome, not an exception. */
export interface Outcome {
  /** The exit status of the program, or one of the three below, as a shell and `timeout` report them. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The program was ended at its time limit. */
export const TIMED_OUT = 124
/** The program is there and could not be started. */
export const NOT_EXECUTABLE = 126
/** There is no such program. */
export const NOT_FOUND = 127

export interface Kernel {
  run(command: Command): Promise<Outcome>
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after the time has passed, or at once when the signal aborts: callers look at the signal. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Starts a program that runs until it is stopped and prints lines: `nft monitor`. */
export type Follow = (argv: Command['argv'], onLine: (line: string) => void) => Following

export interface Following {
  /** Resolves when the program has ended, for whatever reason: NOT_FOUND where there is none. */
  readonly ended: Promise<{ readonly code: number; readonly stderr: string }>
  stop(): Promise<unknown>
}

/** What a commit did to one thing in a table. */
export interface Touch {
  readonly family: 'ip' | 'ip6' | 'other'
  readonly table: string
  readonly verb: 'add' | 'delete'
  readonly kind: 'table' | 'chain' | 'rule' | 'set' | 'element' | 'other'
  /** Of a rule its chain, of an element its set. Empty for the table itself. */
  readonly name: string
}

/** One transaction of the nftables ruleset, to which iptables-nft writes, too. Generations of a network namespace have no gaps. */
export interface Commit {
  readonly generation: number
  /** As the initial pid namespace counts: an agent in a container does not know its own children by these numbers. */
  readonly process: number
  /** The first 15 characters of the program's name. */
  readonly program: string
  readonly touches: readonly Touch[]
}

/** Commits to the ruleset as they happen, whichever program makes them. */
export interface RulesetWatch {
  /**
   * `exact`: `hear` delivers every commit made before it is called, and listening costs next to nothing. `late`: commits come
   * some time after they were made, and a watch begins with reading all rules, which slows down lanes that write.
   */
  readonly delivery: 'exact' | 'late'
  /** False where commits go unheard, for now or for good. */
  readonly isListening: boolean
  /** The listener is called until it is stopped. */
  listen(listener: CommitListener): Stop
  /** Delivers what has been committed up to now, where delivery is exact. */
  hear(): void
  /** The number of the last commit, where that is the last one heard; undefined also where the kernel cannot be asked. */
  generation(): number | undefined
  /** Whose ruleset it is: no other network namespace has this name in this boot; undefined where it cannot be asked. */
  namespace(): string | undefined
  /** Absent, or undefined for now, where the kernel cannot be asked for its rules but by a program. */
  dump?(): RulesetDump | undefined
}

/** Of a network namespace's ruleset, a chain. */
export interface ChainAt {
  readonly family: 'ip' | 'ip6'
  readonly table: string
  readonly chain: string
}

/** A map or set. */
export interface SetAt extends Pick<ChainAt, 'family' | 'table'> {
  readonly set: string
}

/** As the kernel has it, in its own bytes. */
export interface SetElement {
  readonly key: Buffer
  /** In a map: a value, or what happens to a packet, `goto reject-chain`. */
  readonly value?: Buffer | string
  readonly comment?: string
}

/** A rule that leads to another chain, with the kernel's number for it. */
export interface RuleJump {
  readonly handle: Buffer
  readonly target: string
}

/** A change of the ruleset in which no rule is written: for rules, the tools have the words. */
export type RulesetChange =
  | {
      readonly do: 'add element'
      readonly at: SetAt
      readonly key: Buffer
      /** The chain to which the map leads a packet. */
      readonly goto: string
      readonly comment: string
    }
  | { readonly do: 'delete element'; readonly at: SetAt; readonly key: Buffer }
  | { readonly do: 'delete rule'; readonly at: ChainAt; readonly handle: Buffer }
  | { readonly do: 'flush chain' | 'delete chain'; readonly at: ChainAt }

/**
 * The ruleset as the kernel lists it, without a process: a chain costs some 17 µs and an element 3, however large the ruleset is.
 * Each call throws where the kernel refuses.
 */
export interface RulesetDump {
  /** The names of all chains, by table. */
  chains(family: ChainAt['family']): ReadonlyMap<string, ReadonlySet<string>>
  /** What the rules of a chain say, as a number that is another where any rule is; undefined where there is no such chain. */
  fingerprint(chain: ChainAt): number | undefined
  /** The chains that its rules jump to; none where it is absent. */
  targets(chain: ChainAt): ReadonlySet<string>
  /** None where it is absent. */
  elements(set: SetAt): Iterable<SetElement>
}

export interface CommitListener {
  commit(commit: Commit): void
  /** Commits may have gone unheard. */
  gap(): void
}

export type Stop = () => void

/** A connection the kernel tracks: what its client asked for, and what answers. */
export interface Flow {
  readonly protocol: Protocol
  readonly to: Address
  readonly toPort: number
  readonly answeredBy: Address
  readonly answeredByPort: number
}

/** Which connections are to be forgotten. */
export interface StaleFlows {
  readonly family: Family
  /** Of TCP only those without an answer so far: every other ends by itself, and there may be a great many. */
  readonly protocol: Protocol
  /** One of its ports is one of these… */
  readonly by: 'toPort' | 'answeredByPort'
  readonly ports: ReadonlySet<number>
  /** …and this holds. It depends on what a flow says of itself, and on nothing else. */
  readonly isStale: (flow: Flow) => boolean
}

/** The connections the kernel tracks, to be forgotten by what opened or answered them. */
export interface FlowTable {
  /** Resolves to how many were deleted; rejects where the kernel, or the program that is asked, refuses. */
  forget(stale: StaleFlows): Promise<number>
}

/** Texts that outlive the process. */
export interface Keep {
  load(name: string): Promise<string | undefined>
  /** Whole or not at all; false where there is no room for it. */
  save(name: string, pieces: AsyncIterable<string>): Promise<boolean>
  /** To what was saved; false where that is gone, or there is no room. */
  append(name: string, piece: string): Promise<boolean>
}
