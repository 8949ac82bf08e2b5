import { readCounters } from './counters.ts'
import { Cursor, type Flag } from './cursor.ts'
import type { Form } from './form.ts'
import { MATCHES, matchName, matchOfProtocol } from './matches.ts'
import { ParseError, type Place, START } from './parse-error.ts'
import { type Counters, type Given, type Option, Options, type RuleParts, type Target } from './parts.ts'
import { TARGETS } from './targets.ts'

// `-A …` → the parts of the rule. An option belongs to the match or target that was named last and knows it.

/** The text from `-A` on; `from` is where it stands, for errors. */
export function readRule(text: string, from: Place = START): RuleParts {
  return new Reading(new Cursor(text, from), from).parts()
}

type Selector = 'source' | 'destination' | 'inInterface' | 'outInterface' | 'protocol' | 'fragment'

const SELECTORS: Readonly<Record<string, Selector>> = {
  '-s': 'source',
  '--source': 'source',
  '--src': 'source',
  '-d': 'destination',
  '--destination': 'destination',
  '--dst': 'destination',
  '-i': 'inInterface',
  '--in-interface': 'inInterface',
  '-o': 'outInterface',
  '--out-interface': 'outInterface',
  '-p': 'protocol',
  '--protocol': 'protocol',
  '-f': 'fragment',
  '--fragment': 'fragment',
}

/** A match or target while its options are collected. */
interface Extension {
  readonly name: string
  readonly form: Form | undefined
  readonly options: Option[]
}

class Reading {
  readonly #cursor: Cursor
  readonly #from: Place
  readonly #given: Partial<Record<Selector, Given>> = {}
  readonly #matches: Extension[] = []
  /** Matches and target in the order they were named. */
  readonly #named: Extension[] = []
  #chain: string | undefined
  #counters: Counters | undefined
  #target: (Extension & Pick<Target, 'by'>) | undefined

  constructor(cursor: Cursor, from: Place) {
    this.#cursor = cursor
    this.#from = from
  }

  parts(): RuleParts {
    for (let flag = this.#cursor.flag(); flag !== undefined; flag = this.#cursor.flag()) this.#take(flag)
    if (this.#chain === undefined) throw new ParseError('a rule starts with -A and the name of its chain', this.#from)
    const { source, destination, inInterface, outInterface, protocol, fragment } = this.#given
    const target = this.#target
    return {
      chain: this.#chain,
      counters: this.#counters,
      source,
      destination,
      inInterface,
      outInterface,
      protocol,
      fragment,
      matches: this.#matches.map(({ name, options }) => ({ name, options: new Options(options) })),
      target: target && { name: target.name, by: target.by, options: new Options(target.options) },
    }
  }

  #take(flag: Flag): void {
    const selector = SELECTORS[flag.name]
    if (selector !== undefined) this.#select(selector, flag)
    else if (flag.name === '-A' || flag.name === '--append') this.#setChain(flag)
    else if (flag.name === '-m' || flag.name === '--match') this.#addMatch(matchName(this.#plainValue(flag)))
    else if (flag.name === '-j' || flag.name === '--jump') this.#setTarget(flag, 'jump')
    else if (flag.name === '-g' || flag.name === '--goto') this.#setTarget(flag, 'goto')
    else if (flag.name === '-c' || flag.name === '--set-counters') this.#setCounters(flag)
    else this.#addOption(flag)
  }

  #select(selector: Selector, flag: Flag): void {
    if (this.#given[selector] !== undefined) throw this.#twice(flag)
    const negated = this.#cursor.takeBang()
    this.#given[selector] = { value: selector === 'fragment' ? '' : this.#cursor.value(flag), negated }
  }

  #setChain(flag: Flag): void {
    if (this.#chain !== undefined) throw this.#twice(flag)
    this.#chain = this.#plainValue(flag)
  }

  #setTarget(flag: Flag, by: Target['by']): void {
    if (this.#target !== undefined) throw this.#cursor.error('a rule has one target, this is the second', flag.word)
    const name = this.#plainValue(flag)
    this.#target = { name, by, form: TARGETS.get(name), options: [] }
    this.#named.push(this.#target)
  }

  #setCounters(flag: Flag): void {
    this.#cursor.refuseBang(flag)
    const [packets, bytes] = this.#cursor.values(flag, 2)
    this.#counters = readCounters(`[${packets}:${bytes}]`, this.#cursor.place(flag.word))
  }

  #addMatch(name: string): Extension {
    const match = { name, form: MATCHES.get(name), options: [] }
    this.#matches.push(match)
    this.#named.push(match)
    return match
  }

  #addOption(flag: Flag): void {
    const owner = this.#ownerOf(flag.name)
    if (owner === undefined)
      throw this.#cursor.error(`${flag.name} belongs to no match or target of this rule`, flag.word)
    const known = owner.form?.find(flag.name)
    const negated = this.#cursor.takeBang()
    const values = known === undefined ? this.#cursor.looseValues(flag) : this.#cursor.values(flag, known.values.length)
    owner.options.push({ name: known?.name ?? flag.name, values, negated })
  }

  /** The options of an unknown match are unknown too, so it gets what follows it: that is how iptables-save prints. */
  #ownerOf(name: string): Extension | undefined {
    const last = this.#named.at(-1)
    if (last !== undefined && last.form === undefined && last !== this.#target) return last
    const owner = this.#named.findLast(({ form }) => form?.has(name)) ?? this.#impliedMatch(name)
    return owner ?? this.#named.findLast(({ form }) => form?.find(name) !== undefined) ?? last
  }

  /** `-p tcp --dport 80` says `-p tcp -m tcp --dport 80`. */
  #impliedMatch(option: string): Extension | undefined {
    const { protocol } = this.#given
    const name = protocol === undefined || protocol.negated ? undefined : matchOfProtocol(protocol.value)
    if (name === undefined || this.#matches.some(match => match.name === name)) return undefined
    return MATCHES.get(name)?.find(option) === undefined ? undefined : this.#addMatch(name)
  }

  #plainValue(flag: Flag): string {
    this.#cursor.refuseBang(flag)
    return this.#cursor.value(flag)
  }

  #twice(flag: Flag): ParseError {
    return this.#cursor.error(`${flag.name} stands here a second time`, flag.word)
  }
}
