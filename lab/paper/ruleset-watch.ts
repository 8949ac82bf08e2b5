import type { Commit, CommitListener, RulesetDump, RulesetWatch, Stop, Touch } from '#system/ports.ts'

// Commits to a ruleset that a test makes up.

export class PaperRulesetWatch implements RulesetWatch {
  readonly delivery: RulesetWatch['delivery']
  isListening = true
  /** What the kernel says of its last commit. */
  complete = true
  /** Called before commits are delivered: what was committed up to now. */
  onHear: () => void = () => {}
  readonly #listeners = new Set<CommitListener>()
  readonly dump?: () => RulesetDump
  #generation = 1

  constructor(delivery: RulesetWatch['delivery'] = 'exact', dump?: RulesetDump) {
    this.delivery = delivery
    if (dump !== undefined) this.dump = () => dump
  }

  listen(listener: CommitListener): Stop {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  hear(): void {
    this.onHear()
  }

  namespace(): string {
    return 'paper'
  }

  generation(): number | undefined {
    return this.complete ? this.#generation : undefined
  }

  /** `nft` or `nft 4711`: the program, and the process where it matters. */
  commit(author: string, ...touches: readonly Touch[]): void {
    const [program, process = '77'] = author.split(' ') as [string, string?]
    const commit: Commit = { generation: ++this.#generation, process: Number(process), program, touches }
    for (const listener of this.#listeners) listener.commit(commit)
  }

  /** A commit that goes unheard. */
  miss(): void {
    this.#generation++
    this.gap()
  }

  gap(): void {
    for (const listener of this.#listeners) listener.gap()
  }
}

/** `delete rule ip nat KUBE-SERVICES`. */
export function touchOf(words: string): Touch {
  const [verb, kind, family, table, name = ''] = words.split(' ') as [
    Touch['verb'],
    Touch['kind'],
    Touch['family'],
    string,
    string?,
  ]
  return { verb, kind, family, table, name }
}
