import { notUnderstood, usage } from '#lab/paper/iptables/refused.ts'
import type { Demands, Extension, Givens, Option, ProtocolWord, RuleContext } from './extension.ts'

// The words of one match or target of a rule → what iptables-save prints for it.

/** The words still to be read, from the first to the last. */
export type Words = string[]

export interface FinishedWords {
  readonly text: string
  readonly spelling: string
  readonly demands: Demands
}

/** One match or target while its words come in. */
export class ExtensionWords {
  readonly #extension: Extension
  readonly #context: RuleContext
  readonly #given: Givens = new Map()

  constructor(extension: Extension, context: RuleContext) {
    this.#extension = extension
    this.#context = context
  }

  get name(): string {
    return this.#extension.name
  }

  /** Whether the flag was one of its own; then its value is taken from the words too. */
  take(flag: string, words: Words, inverted: boolean): boolean {
    const option = this.#extension.options.find(({ flag: own, aliases }) => own === flag || aliases?.includes(flag))
    if (option === undefined) return false
    const text = this.#value(option, words)
    if (inverted && option.invertible !== true) {
      throw usage(`${this.name}: option "${option.flag}" cannot be inverted.`)
    }
    if (this.#given.has(option.flag)) throw usage(`${this.name}: option "${option.flag}" can only be used once.`)
    if (option.value === undefined || text !== undefined) this.#given.set(option.flag, { text, inverted })
    else if (inverted) throw notUnderstood(`! ${flag} with everything there is`)
    return true
  }

  /** To be called when all words of the rule are known: `-m tcp --dport 80`, `-j DNAT --to-destination …`. */
  finish(protocol: ProtocolWord | undefined): FinishedWords {
    const spelling = this.#extension.spelling?.(this.#given, this.#context) ?? ''
    this.#extension.finish?.(this.#given, this.#context, protocol)
    const demands = this.#extension.demands?.(this.#given, this.#context, protocol) ?? {}
    const options = this.#extension.options.map(option => this.#printed(option)).join('')
    return { text: `${this.name}${options}`, spelling, demands }
  }

  #value({ flag, value, words: count = 1 }: Option, words: Words): string | undefined {
    if (value === undefined) return undefined
    if (words.length < count) throw usage(`option "${flag}" requires an argument`)
    return value(words.splice(0, count).join(' '), this.#context)
  }

  #printed({ flag, gap = ' ' }: Option): string {
    const given = this.#given.get(flag)
    if (given === undefined) return ''
    return `${given.inverted ? ' !' : ''} ${flag}${given.text === undefined ? '' : gap + given.text}`
  }
}
