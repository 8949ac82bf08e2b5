import { notUnderstood, Refused, usage } from '#lab/paper/iptables/refused.ts'
import type { Demands, ProtocolWord, RuleContext } from './extension.ts'
import { ExtensionWords, type Words } from './extension-words.ts'
import { matchNamed } from './matches.ts'
import { targetNamed } from './targets.ts'
import { interfaceName, network, protocolName } from './values.ts'

// The words of a rule → the rule as iptables-save prints it, and what the kernel will require of it.

export interface Rule {
  /** What stands after `-A CHAIN`. */
  readonly text: string
  /** Rules with the same identity are the same rule for -D and -C: nearly always the text, but not quite. */
  readonly identity: string
  /** The chain it jumps to. */
  readonly jump?: string
  /** Packets and bytes. */
  readonly counters: string
  readonly demands: Demands
}

const LONG_FLAGS: Readonly<Record<string, string>> = {
  ...{ '--source': '-s', '--src': '-s', '--destination': '-d', '--dst': '-d' },
  ...{ '--in-interface': '-i', '--out-interface': '-o', '--protocol': '-p', '--proto': '-p' },
  ...{ '--match': '-m', '--jump': '-j' },
}

/** These protocols bring their match with them when one of its options is used. */
const WITH_MATCH = ['tcp', 'udp', 'sctp']

export class RuleWords {
  readonly #context: RuleContext
  /** The parts of the head, by flag, each ready to print; empty where it says nothing. */
  readonly #head = new Map<string, string>()
  readonly #matches: ExtensionWords[] = []
  #protocol: ProtocolWord | undefined
  #target: ExtensionWords | undefined
  #jump: string | undefined
  /** The first word that only a rule can have: for commands that take no rule. */
  #first: string | undefined

  constructor(context: RuleContext) {
    this.#context = context
  }

  get first(): string | undefined {
    return this.#first
  }

  /** Reads the next option of the rule, with all words that belong to it. */
  take(words: Words): void {
    const inverted = words[0] === '!'
    if (inverted) words.shift()
    const word = words.shift()
    if (word === undefined) throw usage('nothing appropriate following !')
    const flag = LONG_FLAGS[word] ?? word
    this.#first ??= flag
    if (/^-[sdiop]$/.test(flag)) this.#takeHead(flag, argument(word, words), inverted)
    else if (flag === '-m') this.#takeMatch(argument(word, words), inverted)
    else if (flag === '-j') this.#takeJump(argument(word, words), inverted)
    else if (!flag.startsWith('-')) throw new Refused('bare', `Bad argument \`${flag}'`)
    else if (!flag.startsWith('--')) throw notUnderstood(flag)
    else if (!this.#takeOption(flag, words, inverted)) throw usage(`unknown option "${flag}"`)
  }

  finished(counters: string): Rule {
    const matches = this.#matches.map(match => match.finish(this.#protocol))
    const target = this.#target?.finish(this.#protocol)
    const parts = [
      ...['-s', '-d', '-i', '-o', '-p'].map(flag => this.#head.get(flag) ?? ''),
      ...matches.map(({ text }) => `-m ${text}`),
      target === undefined ? '' : `-j ${target.text}`,
      this.#jump === undefined ? '' : `-j ${this.#jump}`,
    ]
    const demands = Object.assign({}, ...matches.map(match => match.demands), target?.demands ?? {})
    const jump = this.#jump === undefined ? {} : { jump: this.#jump }
    const text = parts.filter(part => part !== '').join(' ')
    const identity = text + matches.map(({ spelling }) => spelling).join('')
    return { text, identity, ...jump, counters, demands }
  }

  #takeHead(flag: string, value: string, inverted: boolean): void {
    if (this.#head.has(flag)) throw usage(`multiple ${flag} flags not allowed`)
    const printed = this.#headValue(flag, value)
    if (flag === '-p' && printed !== undefined) this.#protocol = { name: printed, inverted }
    if (printed === undefined && inverted) throw notUnderstood(`! ${flag} ${value}`)
    this.#head.set(flag, printed === undefined ? '' : `${inverted ? '! ' : ''}${flag} ${printed}`)
  }

  #headValue(flag: string, value: string): string | undefined {
    if (flag === '-p') return protocolName(value)
    if (flag === '-s' || flag === '-d') return network(value, this.#context)
    const closed = flag === '-i' ? ['OUTPUT', 'POSTROUTING'] : ['INPUT', 'PREROUTING']
    const { chain } = this.#context
    if (closed.includes(chain)) throw usage(`Can't use ${flag} with ${chain}\n`)
    return interfaceName(value)
  }

  #takeMatch(name: string, inverted: boolean): void {
    if (inverted) throw usage('unexpected ! flag before --match')
    // Of two, iptables-nft 1.8.9 keeps the second alone, and legacy both.
    if (WITH_MATCH.includes(name) && this.#matches.some(match => match.name === name)) {
      throw notUnderstood(`-m ${name} twice`)
    }
    this.#matches.push(new ExtensionWords(matchNamed(name), this.#context))
  }

  #takeJump(name: string, inverted: boolean): void {
    if (inverted) throw usage('cannot have ! before -j')
    if (this.#target !== undefined || this.#jump !== undefined) throw usage('multiple -j flags not allowed')
    if (name.length > 28) throw usage(`Invalid target name \`${name}' (28 chars max)`)
    if (/[\s"]/.test(name) || name === '') throw usage(`Invalid target name \`${name}'`)
    const target = targetNamed(name)
    if (target === undefined) this.#jump = name
    else this.#target = new ExtensionWords(target, this.#context)
  }

  /** An option belongs to the target, or to the latest match that knows it, or brings the protocol's match with it. */
  #takeOption(flag: string, words: Words, inverted: boolean): boolean {
    const known = [this.#target, ...this.#matches.toReversed()]
    if (known.some(extension => extension?.take(flag, words, inverted))) return true
    const protocol = this.#protocol?.name ?? ''
    if (!WITH_MATCH.includes(protocol) || this.#matches.some(match => match.name === protocol)) return false
    const match = new ExtensionWords(matchNamed(protocol), this.#context)
    if (!match.take(flag, words, inverted)) return false
    this.#matches.push(match)
    return true
  }
}

function argument(flag: string, words: Words): string {
  const word = words.shift()
  if (word === undefined) throw usage(`option "${flag}" requires an argument`)
  return word
}
