import { KINDS, type Value } from './table/kinds.ts'
import { nearest } from './table/nearest.ts'
import { keyOf, type Setting, verbsOf } from './table/setting.ts'
import { FLAGGED, type FlaggedSetting, flagsOf } from './table/table.ts'
import type { Verb } from './verbs.ts'

// argv → the flags that were given, by the rules of kube-proxy's flag library.

export interface GivenFlags {
  /** By the key of the row. */
  readonly values: ReadonlyMap<string, Value>
  /** What is no flag. Empty words do not count, as in kube-proxy. */
  readonly operands: readonly string[]
  readonly problems: readonly string[]
}

export function readFlags(verb: Verb, argv: readonly string[]): GivenFlags {
  return new FlagReader(verb, argv).read()
}

class FlagReader {
  readonly #byName: ReadonlyMap<string, FlaggedSetting>
  readonly #byLetter: ReadonlyMap<string, FlaggedSetting>
  readonly #words: string[]
  readonly #values = new Map<string, Value>()
  readonly #operands: string[] = []
  readonly #problems: string[] = []

  constructor(verb: Verb, argv: readonly string[]) {
    const flags = flagsOf(verb)
    this.#words = [...argv]
    this.#byName = new Map(flags.map(setting => [setting.flag, setting]))
    this.#byLetter = new Map(flags.flatMap(setting => (setting.short === undefined ? [] : [[setting.short, setting]])))
  }

  read(): GivenFlags {
    for (let word = this.#words.shift(); word !== undefined; word = this.#words.shift()) {
      if (word === '--') this.#operands.push(...this.#words.splice(0))
      else if (word.startsWith('--')) this.#long(word.slice(2))
      else if (word.startsWith('-') && word !== '-') this.#letters(word.slice(1))
      else this.#operands.push(word)
    }
    const operands = this.#operands.filter(operand => operand !== '')
    return { values: this.#values, operands, problems: this.#problems }
  }

  #long(word: string): void {
    const at = word.indexOf('=')
    const given = at < 0 ? word : word.slice(0, at)
    const setting = this.#byName.get(given.replaceAll('_', '-'))
    if (setting === undefined) {
      this.#problems.push(/^(-|=|$)/.test(word) ? `bad flag syntax: --${word}` : this.#unknown(given))
      // The word behind an unknown flag was probably its value: one mistake is one problem.
      if (at < 0 && this.#words[0]?.startsWith('-') === false) this.#words.shift()
    } else this.#take(setting, `--${setting.flag}`, at < 0 ? undefined : word.slice(at + 1))
  }

  /** `-v2`, `-v=2`, `-v 2`, `-hv2` */
  #letters(word: string): void {
    const letter = word[0]!
    const rest = word.slice(1)
    const setting = this.#byLetter.get(letter)
    if (setting === undefined) {
      this.#problems.push(`unknown shorthand flag: ${JSON.stringify(letter)} in -${word}`)
    } else if (rest.startsWith('=')) this.#take(setting, `-${letter}`, rest.slice(1))
    else if (!('alone' in KINDS[setting.kind])) this.#take(setting, `-${letter}`, rest === '' ? undefined : rest)
    else {
      this.#take(setting, `-${letter}`, undefined)
      if (rest !== '') this.#letters(rest)
    }
  }

  #take(setting: FlaggedSetting, spelled: string, attached: string | undefined): void {
    const kind = KINDS[setting.kind]
    const text = attached ?? ('alone' in kind ? kind.alone : this.#words.shift())
    if (text === undefined) {
      this.#problems.push(`flag needs an argument: ${spelled}: ${kind.wanted} is wanted`)
      return
    }
    const value = kind.fromText(text)
    if (value === undefined) {
      this.#problems.push(
        `invalid argument ${JSON.stringify(text)} for "${bothNames(setting)}" flag: ${kind.wanted} is wanted`,
      )
      return
    }
    const before = 'adds' in kind ? this.#values.get(keyOf(setting)) : undefined
    this.#values.set(keyOf(setting), before === undefined ? value : [...(before as string[]), ...(value as string[])])
  }

  #unknown(given: string): string {
    const elsewhere = FLAGGED.find(({ flag }) => flag === given.replaceAll('_', '-'))
    if (elsewhere !== undefined) return `unknown flag: --${given} (it belongs to: ${verbsOf(elsewhere).join(', ')})`
    const meant = nearest(given, this.#byName.keys())
    return `unknown flag: --${given}${meant === undefined ? '' : ` (did you mean --${meant}?)`}`
  }
}

function bothNames({ flag, short, field }: Setting): string {
  const names = short === undefined ? `--${flag}` : `-${short}, --${flag}`
  return field === undefined ? names : `${names} (${field})`
}
