import type { Part, Prints } from '#proxy/modes/mode.ts'
import type { Clock, RulesetDump } from '#system/ports.ts'

// The fingerprints that parts of the ruleset had in the kernel when their text was known → which parts still have that text,
// without reading any as text: at 10,000 Services × 10 that would take iptables-nft minutes, and this takes two seconds.

export interface FingerprintsParts {
  readonly prints: Prints
  /** How the kernel is asked; undefined where it cannot be, for now. */
  readonly dump: () => RulesetDump | undefined
  readonly clock: Pick<Clock, 'sleep'>
}

/** Some milliseconds of work: between two such steps the process answers health checks, and syncs go on. */
const GATHERED = 200
const COMPARED = 1000

/** `other`: its rules have changed since its text was known. `unknown`: nothing is known of it. */
export type PartState = 'as believed' | 'other' | 'unknown'
export type Standing = ReadonlyMap<Part, PartState>

export class Fingerprints {
  readonly #parts: FingerprintsParts
  #prints = new Map<Part, number>()
  /** Parts whose text is known, and whose fingerprint is not. */
  #unread: Set<Part>
  /** Parts that got another fingerprint, or lost theirs, since they were asked for. */
  #moved = new Set<Part>()

  constructor(parts: FingerprintsParts) {
    this.#parts = parts
    this.#unread = new Set(parts.prints.shared)
  }

  get prints(): ReadonlyMap<Part, number> {
    return this.#prints
  }

  /** How many parts have none yet. */
  get missing(): number {
    return this.#unread.size
  }

  takeMoved(): ReadonlySet<Part> {
    const moved = this.#moved
    this.#moved = new Set()
    return moved
  }

  /** What is believed of these parts changes, or is about to be written. */
  outdate(parts: Iterable<Part>): void {
    for (const part of parts) {
      this.#prints.delete(part)
      this.#moved.add(part)
      this.#unread.add(part)
    }
  }

  /** These parts were read as text, and nothing else is known. */
  restart(parts: Iterable<Part>): void {
    this.#prints = new Map()
    this.#unread = new Set(this.#parts.prints.shared)
    for (const part of parts) this.#unread.add(part)
  }

  /** Of these parts and of shared ones; those without a fingerprint are taken later. */
  load(prints: ReadonlyMap<Part, number>, parts: Iterable<Part>): void {
    this.restart(parts)
    this.#prints = new Map(prints)
    for (const part of prints.keys()) this.#unread.delete(part)
  }

  /** Takes some of those that are missing, and returns which; only while what is believed is what the kernel has. */
  gather(): readonly Part[] {
    const dump = this.#parts.dump()
    if (dump === undefined) return []
    const taken = this.#unread.values().take(GATHERED).toArray()
    const found = taken.map(part => [part, this.#parts.prints.of(dump, part)] as const)
    for (const [part, print] of found) if (print !== undefined) this.#prints.set(part, print)
    for (const part of taken) {
      this.#unread.delete(part)
      this.#moved.add(part)
    }
    return taken
  }

  /** Every part that is there now; undefined where the kernel cannot be asked. */
  async standing(): Promise<Standing | undefined> {
    try {
      const dump = this.#parts.dump()
      return dump && (await this.#compared(dump))
    } catch {
      return undefined
    }
  }

  async #compared(dump: RulesetDump): Promise<Standing> {
    const { prints, clock } = this.#parts
    const found = new Map<Part, PartState>()
    let asked = 0
    for (const part of prints.standing(dump)) {
      const state = this.#stateOf(dump, part)
      found.set(part, state)
      if (state !== 'unknown' && ++asked % COMPARED === 0) await clock.sleep(0)
    }
    return found
  }

  /** Of these parts, those that may have another text than is believed. */
  unproven(parts: ReadonlySet<Part>): ReadonlySet<Part> {
    try {
      const dump = this.#parts.dump()
      return dump === undefined
        ? parts
        : new Set([...parts].filter(part => this.#stateOf(dump, part) !== 'as believed'))
    } catch {
      return parts
    }
  }

  #stateOf(dump: RulesetDump, part: Part): PartState {
    const print = this.#prints.get(part)
    if (print === undefined) return 'unknown'
    return this.#parts.prints.of(dump, part) === print ? 'as believed' : 'other'
  }
}
