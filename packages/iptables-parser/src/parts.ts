// The typed parts of a rule: what a line of iptables-save says once it is read.

export type Family = 'ipv4' | 'ipv6'

/** A value that may stand behind a `!`. */
export interface Given {
  readonly value: string
  readonly negated: boolean
}

/** `! --dport 80`, `--tcp-flags SYN,ACK SYN`, `--rsource`. Of several spellings, the name is the one iptables-save prints. */
export interface Option {
  readonly name: string
  /** The words behind it, quotes resolved. */
  readonly values: readonly string[]
  readonly negated: boolean
}

/** The options of one match or target, in the order they were written. */
export class Options implements Iterable<Option> {
  readonly #list: readonly Option[]

  constructor(list: readonly Option[]) {
    this.#list = list
  }

  get size(): number {
    return this.#list.length
  }

  /** The first option of this name. */
  get(name: string): Option | undefined {
    return this.#list.find(option => option.name === name)
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  [Symbol.iterator](): Iterator<Option> {
    return this.#list[Symbol.iterator]()
  }
}

export interface Match {
  readonly name: string
  readonly options: Options
}

export interface Target {
  readonly name: string
  /** At the end of the chain, `jump` comes back behind this rule, `goto` behind the rule that came here. */
  readonly by: 'jump' | 'goto'
  readonly options: Options
}

export interface Counters {
  readonly packets: bigint
  readonly bytes: bigint
}

export interface RuleParts {
  readonly chain: string
  readonly counters?: Counters | undefined
  readonly source?: Given | undefined
  readonly destination?: Given | undefined
  readonly inInterface?: Given | undefined
  readonly outInterface?: Given | undefined
  readonly protocol?: Given | undefined
  /** `-f` has no value: fragments behind the first; negated, the first one or no fragment at all. */
  readonly fragment?: Given | undefined
  readonly matches: readonly Match[]
  readonly target?: Target | undefined
}
