import { type Address, parseAddress } from '#values/address.ts'
import { type Cidr, parseCidr } from '#values/cidr.ts'
import { ConfigRefused } from './error.ts'
import { isJsonObject, shownJson } from './json.ts'

// A JSON object of a configuration → the fields a plugin wants of it, typed, and one line for each that is not as it should
// be. A plugin reads all it needs, then asks `refuse()` once, so all that is wrong with a file is seen at once.
// As for the reference's plugins, null is the same as an absent key, and where a key is not there letter by letter, one that
// differs in case alone is taken.

export interface NumberLimits {
  readonly least: number
  readonly most: number
}

type Parse<T> = (value: unknown) => T | undefined

interface At<T> {
  readonly value: T
  readonly path: string
}

export class ConfigFields {
  readonly #object: Readonly<Record<string, unknown>>
  readonly #path: string
  readonly #problems: Set<string>

  /** `path` is where the object stands, for messages; objects below share their problems with the one above. */
  constructor(object: Readonly<Record<string, unknown>>, path = '', problems = new Set<string>()) {
    this.#object = object
    this.#path = path
    this.#problems = problems
  }

  get problems(): readonly string[] {
    return [...this.#problems]
  }

  /** Fails where anything was not as it should be, with all of it. */
  refuse(): void {
    if (this.#problems.size > 0) throw new ConfigRefused(this.problems)
  }

  has(key: string): boolean {
    return this.plain(key) !== undefined
  }

  /** Whatever stands there, unchecked. */
  plain(key: string): unknown {
    const value = Object.hasOwn(this.#object, key) ? this.#object[key] : this.#object[this.#foldedKey(key) ?? key]
    return value === null ? undefined : value
  }

  /** `ipam.subnet` for `subnet` */
  pathOf(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`
  }

  /** For what only the plugin can know: `wrong` goes on after field and value, as in `is not in the subnet 10.0.0.0/24`. */
  problem(key: string, wrong: string): void {
    this.complain(`${this.pathOf(key)}: ${shownJson(this.plain(key))} ${wrong}`)
  }

  /** A whole sentence. A field that is read twice is wrong once. */
  complain(sentence: string): void {
    this.#problems.add(sentence)
  }

  text(key: string): string | undefined {
    return this.#read(key, textOf, 'is not a text in quotes')
  }

  /** False where it is absent. */
  isOn(key: string): boolean {
    return this.flag(key) ?? false
  }

  flag(key: string): boolean | undefined {
    return this.#read(
      key,
      value => (typeof value === 'boolean' ? value : undefined),
      'is not true or false, without quotes',
    )
  }

  number(key: string, { least, most }: NumberLimits): number | undefined {
    const whole = (value: unknown): number | undefined =>
      typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : undefined
    return this.#read(key, whole, `is not a whole number from ${least} to ${most}`)
  }

  /** Empty text is as good as absent, as for Go programs. */
  choice<Word extends string>(key: string, words: readonly Word[]): Word | undefined {
    if (this.plain(key) === '') return undefined
    const known = words.map(word => JSON.stringify(word)).join(' or ')
    return this.#read(key, value => words.find(word => word === value), `is not ${known}`)
  }

  /** Empty text is as good as absent, as for Go programs. */
  address(key: string): Address | undefined {
    if (this.plain(key) === '') return undefined
    return this.#read(key, parseAddress, 'is not an IP address such as 10.22.0.1')
  }

  /** Host bits are cleared; a plugin that will not have them compares with the text. */
  cidr(key: string): Cidr | undefined {
    return this.#read(key, parseCidr, 'is not an address range such as 10.22.0.0/16')
  }

  texts(key: string): readonly string[] {
    return this.#items(key, textOf, 'is not a text in quotes').map(({ value }) => value)
  }

  object(key: string): ConfigFields | undefined {
    const object = this.#read(key, objectOf, 'is not an object in braces')
    return object && this.#below(object, this.pathOf(key))
  }

  /** The objects of a list; none where it is absent. */
  objects(key: string): readonly ConfigFields[] {
    return this.#items(key, objectOf, 'is not an object in braces').map(({ value, path }) => this.#below(value, path))
  }

  #below(object: Readonly<Record<string, unknown>>, path: string): ConfigFields {
    return new ConfigFields(object, path, this.#problems)
  }

  #read<T>(key: string, parse: Parse<T>, wrong: string): T | undefined {
    const value = this.plain(key)
    if (value === undefined) return undefined
    const parsed = parse(value)
    if (parsed === undefined) this.problem(key, wrong)
    return parsed
  }

  #items<T>(key: string, parse: Parse<T>, wrong: string): readonly At<T>[] {
    const items = this.#read(key, listOf, 'is not a list in brackets') ?? []
    return items.flatMap((item, i) => {
      const path = `${this.pathOf(key)}[${i}]`
      const value = parse(item)
      if (value === undefined) this.complain(`${path}: ${shownJson(item)} ${wrong}`)
      return value === undefined ? [] : [{ value, path }]
    })
  }

  #foldedKey(key: string): string | undefined {
    const folded = key.toLowerCase()
    return Object.keys(this.#object).find(candidate => candidate.toLowerCase() === folded)
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isJsonObject(value) ? value : undefined
}

function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined
}
