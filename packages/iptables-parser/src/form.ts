import type { Family, Option } from './parts.ts'
import { alwaysQuoted, bare, bareValue, quote } from './words.ts'

// How a match or target writes its options → how iptables-save prints them: in which order, which always, which never.

export interface Around {
  readonly family: Family
  readonly negated: boolean
}

/** A value as it was written → as it is printed, but for quotes. What it does not understand it leaves as it is. */
export type Say = (value: string, around: Around) => string

export interface OptionForm {
  /** As printed. */
  readonly name: string
  /** All spellings. */
  readonly names: readonly string[]
  /** One per word behind the option. */
  readonly values: readonly Say[]
  /** How a value is put in quotes. */
  readonly spell: (value: string) => string
  /** Not printed with this value, unless negated: it is what happens anyway. */
  readonly unless?: string
  /** Printed with this value where the rule leaves it out. */
  readonly otherwise?: Record<Family, string>
}

/** Rewrites what one option alone does not show: `--or-mark 4` is `--set-xmark 0x4/0x4`. */
export type Settle = (options: readonly Option[], family: Family) => readonly Option[]

export interface Form {
  readonly options: readonly OptionForm[]
  readonly settle: Settle | undefined
  has(name: string): boolean
  /** By any of its names, or by the start of a name if that is clear, as getopt does. */
  find(name: string): OptionForm | undefined
}

/** An option and the words behind it; of several names, separated by blanks, the first is printed. */
export function takes(names: string, ...values: readonly Say[]): OptionForm {
  const all = names.split(' ')
  return { name: all[0]!, names: all, values, spell: bare }
}

/** A text, in quotes where it is not just letters and digits. */
export function takesText(name: string): OptionForm {
  return { ...takes(name, asWritten), spell: quote }
}

/** A value that always stands in quotes. */
export function takesQuoted(name: string, value: Say = asWritten): OptionForm {
  return { ...takes(name, value), spell: alwaysQuoted }
}

export function asWritten(value: string): string {
  return value
}

export function unless(value: string, option: OptionForm): OptionForm {
  return { ...option, unless: value }
}

export function otherwise(value: string | Record<Family, string>, option: OptionForm): OptionForm {
  return { ...option, otherwise: typeof value === 'string' ? { ipv4: value, ipv6: value } : value }
}

export function form(options: readonly OptionForm[], settle?: Settle): Form {
  const byName = new Map(options.flatMap(option => option.names.map(name => [name, option] as const)))
  return {
    options,
    settle,
    has: name => byName.has(name),
    find: name => byName.get(name) ?? onlyOne(options, name),
  }
}

function onlyOne(options: readonly OptionForm[], start: string): OptionForm | undefined {
  if (!/^--[a-z]/.test(start)) return undefined
  const found = options.filter(({ names }) => names.some(name => name.startsWith(start)))
  return found.length === 1 ? found[0] : undefined
}

/** The options of a match or target as iptables-save prints them, each with a space in front. */
export function sayOptions(form: Form | undefined, given: Iterable<Option>, family: Family): string {
  if (form === undefined) return [...given].map(sayAsWritten).join('')
  const options = [...given]
  const settled = form.settle?.(options, family) ?? options
  return segments(settled)
    .map(segment => saySegment(form, segment, family))
    .join(' --next')
}

/** Only `-m policy` has several lots of options, divided by `--next`. */
function segments(options: readonly Option[]): readonly (readonly Option[])[] {
  const next = options.findIndex(({ name }) => name === '--next')
  return next < 0 ? [options] : [options.slice(0, next), ...segments(options.slice(next + 1))]
}

function saySegment(form: Form, given: readonly Option[], family: Family): string {
  let text = ''
  for (const option of form.options) {
    const uses = given.filter(({ name }) => name === option.name)
    for (const use of uses) text += say(option, use, family)
    if (uses.length === 0 && option.otherwise !== undefined) text += ` ${option.name} ${option.otherwise[family]}`
  }
  for (const use of given) if (!form.has(use.name)) text += sayAsWritten(use)
  return text
}

function say(option: OptionForm, { values, negated }: Option, family: Family): string {
  const around = { family, negated }
  const said = values.map((value, i) => option.values[i]?.(value, around) ?? value)
  if (!negated && option.unless !== undefined && said[0] === option.unless) return ''
  return `${negated ? ' !' : ''} ${[option.name, ...said.map(option.spell)].join(' ')}`
}

function sayAsWritten({ name, values, negated }: Option): string {
  return `${negated ? ' !' : ''} ${[name, ...values.map(bareValue)].join(' ')}`
}
