import { parseRule, type Rule, type Target } from '#iptables-parser'
import { type Address, hostPort, parseAddress } from '../../values/address.ts'
import type { Ruleset } from '../mode.ts'
import type { End, Hop, Packet, Path } from '../trace.ts'
import { JUMP_UNITS } from './base.ts'
import { type Table, unitParts } from './names.ts'
import { CannotTrace, chance, isLocal, knownOptions, type Sight, setMark } from './trace-match.ts'

// Rules as they are written and a first packet → what the kernel would do with it, rule by rule. Only the text of the rules
// is asked, never what they were made from.

export function trace(rules: Ruleset, packet: Packet): readonly Path[] {
  const walk = new Walk(rules, packet)
  const paths = packet.via.hook === 'output' ? walk.leaving() : walk.arriving(packet.via.iface)
  return paths.map(({ share, hops, ...state }) => ({ share, hops, end: endOf(state) }))
}

/** A packet somewhere on its way; where a rule chooses at random, one becomes two. */
interface State {
  readonly share: number
  readonly hops: readonly Hop[]
  readonly to: Address
  readonly port: number
  readonly mark: number
  readonly endpoint?: string
  readonly masqueraded: boolean
  readonly stopped?: 'rejected' | 'dropped'
}

interface Outcome {
  readonly state: State
  /** `next`: on to the next rule; `return`: out of this chain; `done`: this table has nothing more to say. */
  readonly onward: 'next' | 'return' | 'done'
}

interface Place {
  readonly table: Table
  readonly chain: string
  /** Empty where the packet came in through no interface. */
  readonly iface: string
}

function endOf({ stopped, endpoint, masqueraded }: Omit<State, 'share' | 'hops'>): End {
  if (stopped !== undefined) return { to: stopped }
  return endpoint === undefined ? { to: 'untouched', masqueraded } : { to: 'endpoint', endpoint, masqueraded }
}

class Walk {
  readonly #packet: Packet
  readonly #chains: Chains

  constructor(rules: Ruleset, packet: Packet) {
    this.#packet = packet
    this.#chains = new Chains(rules)
  }

  /** Through an interface: to the node itself, or on to somewhere else. */
  arriving(iface: string): readonly State[] {
    const routed = this.#pass({ table: 'nat', chain: 'PREROUTING', iface }, [this.#start()])
    const [here, elsewhere] = partition(routed, ({ to }) => isLocal(to, this.#packet))
    const forwarded = this.#pass({ table: 'filter', chain: 'FORWARD', iface }, elsewhere)
    return [
      ...this.#pass({ table: 'filter', chain: 'INPUT', iface }, here),
      ...this.#pass({ table: 'nat', chain: 'POSTROUTING', iface: '' }, forwarded),
    ]
  }

  /** From the node: what it sends to itself comes in again, its connection already known to nat. */
  leaving(): readonly State[] {
    const routed = this.#pass({ table: 'nat', chain: 'OUTPUT', iface: '' }, [this.#start()])
    const allowed = this.#pass({ table: 'filter', chain: 'OUTPUT', iface: '' }, routed)
    const sent = this.#pass({ table: 'nat', chain: 'POSTROUTING', iface: '' }, allowed)
    const [here, elsewhere] = partition(sent, ({ to }) => isLocal(to, this.#packet))
    return [...this.#pass({ table: 'filter', chain: 'INPUT', iface: 'lo' }, here), ...elsewhere]
  }

  #start(): State {
    const { to, port } = this.#packet
    return { share: 1, hops: [], to, port, mark: 0, masqueraded: false }
  }

  /** Through a built-in chain; its own policy is to let everything pass. */
  #pass(place: Place, states: readonly State[]): readonly State[] {
    return states.flatMap(state =>
      state.stopped === undefined ? this.#through(place, state).map(outcome => outcome.state) : [state],
    )
  }

  /** Everything that can become of the packet in one chain. */
  #through(place: Place, arrived: State): readonly Outcome[] {
    const outcomes: Outcome[] = []
    let inside: readonly State[] = [arrived]
    for (const rule of this.#chains.rules(place.table, place.chain) ?? []) {
      const staying: State[] = []
      for (const state of inside) {
        const part = chance(rule, this.#sight(place, state))
        if (part < 1) staying.push(part === 0 ? state : { ...state, share: state.share * (1 - part) })
        if (part === 0) continue
        for (const outcome of this.#obey(rule, place, { ...state, share: state.share * part })) {
          if (outcome.onward === 'next') staying.push(outcome.state)
          else outcomes.push(outcome)
        }
      }
      inside = staying
    }
    return [...outcomes, ...inside.map((state): Outcome => ({ state, onward: 'return' }))]
  }

  #sight({ iface }: Place, { to, port, mark, endpoint }: State): Sight {
    const seen = { packet: this.#packet, iface, to, port, mark, dnat: endpoint !== undefined }
    return {
      ...seen,
      lastOf: list =>
        this.#chains.destinationOf(list) === this.#packet.last?.endpoint ? this.#packet.last : undefined,
    }
  }

  #obey(rule: Rule, place: Place, state: State): readonly Outcome[] {
    const { target } = rule
    const inChain = target !== undefined && this.#chains.rules(place.table, target.name) !== undefined
    if (inChain) return this.#enter(rule, target, { place, state })
    const { did, onward, change } = effect(rule)
    const hop = { at: `${place.table} ${place.chain}`, rule: rule.text, did }
    return [{ state: { ...state, ...change(state), hops: [...state.hops, hop] }, onward }]
  }

  /** What comes back from a jump goes on behind it; what comes back from a goto leaves this chain as well. */
  #enter(rule: Rule, { name, by }: Target, { place, state }: { place: Place; state: State }): readonly Outcome[] {
    const hop = { at: `${place.table} ${place.chain}`, rule: rule.text, did: `${by} ${name}` }
    const back = by === 'jump' ? 'next' : 'return'
    return this.#through({ ...place, chain: name }, { ...state, hops: [...state.hops, hop] }).map(outcome =>
      outcome.onward === 'return' ? { ...outcome, onward: back } : outcome,
    )
  }
}

interface Effect {
  readonly did: string
  readonly onward: Outcome['onward']
  readonly change: (state: State) => Partial<State>
}

const nothing = (): Partial<State> => ({})

/** What a rule that matched does, where it does not lead into another chain. */
function effect(rule: Rule): Effect {
  const { target } = rule
  switch (target?.name) {
    case undefined:
      return { did: 'nothing', onward: 'next', change: nothing }
    case 'RETURN':
      return { did: 'return', onward: 'return', change: nothing }
    case 'ACCEPT':
      return { did: 'accept', onward: 'done', change: nothing }
    case 'DROP':
      return { did: 'drop', onward: 'done', change: () => ({ stopped: 'dropped' }) }
    case 'REJECT':
      knownOptions(rule, target.options, ['--reject-with'])
      return { did: 'reject', onward: 'done', change: () => ({ stopped: 'rejected' }) }
    case 'MASQUERADE':
      knownOptions(rule, target.options, ['--random-fully'])
      return { did: 'masquerade', onward: 'done', change: () => ({ masqueraded: true }) }
    case 'MARK': {
      const mark = setMark(rule, target.options)
      return { did: mark.did, onward: 'next', change: state => ({ mark: mark.of(state.mark) }) }
    }
    case 'DNAT':
      return { ...redirect(rule, target), onward: 'done' }
    default:
      throw new CannotTrace(rule, `leads to ${target?.name}, which is no chain of these rules and no target known here`)
  }
}

function redirect(rule: Rule, { options }: Target): Omit<Effect, 'onward'> {
  knownOptions(rule, options, ['--to-destination'])
  const text = options.get('--to-destination')?.values[0] ?? ''
  const [, bracketed, bare, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? []
  const to = parseAddress(bracketed ?? bare)
  if (to === undefined) throw new CannotTrace(rule, `sends to "${text}", which is not one address and port`)
  const endpoint = hostPort(to, Number(port))
  return { did: `dnat to ${endpoint}`, change: () => ({ to, port: Number(port), endpoint }) }
}

/** The rules of each chain in order, read when somebody comes by. */
class Chains {
  readonly #texts = new Map<string, readonly string[]>()
  readonly #read = new Map<string, readonly Rule[]>()

  constructor(rules: Ruleset) {
    const lines: { readonly unit: string; readonly at: string; readonly line: string }[] = []
    for (const [unit, text] of rules) {
      const parts = unitParts(unit)
      if ('chain' in parts) this.#texts.set(unit, text === '' ? [] : text.split('\n'))
      else lines.push({ unit, at: `${parts.table} ${parts.line.split(' ', 1)[0]}`, line: `-A ${parts.line}` })
    }
    lines.sort((a, b) => JUMP_UNITS.indexOf(b.unit) - JUMP_UNITS.indexOf(a.unit))
    for (const { at, line } of lines) this.#texts.set(at, [...(this.#texts.get(at) ?? []), line])
  }

  rules(table: Table, chain: string): readonly Rule[] | undefined {
    const at = `${table} ${chain}`
    const texts = this.#texts.get(at)
    if (texts === undefined || this.#read.has(at)) return this.#read.get(at)
    const rules = texts.map(text => parseRule(text))
    this.#read.set(at, rules)
    return rules
  }

  /** Where clients on this list were sent: an endpoint's chain keeps the list of its own name. */
  destinationOf(list: string): string | undefined {
    const remembering = this.rules('nat', list)?.find(({ matches }) =>
      matches.some(
        ({ name, options }) => name === 'recent' && options.has('--set') && options.get('--name')?.values[0] === list,
      ),
    )
    return remembering?.target?.options.get('--to-destination')?.values[0]
  }
}

function partition<T>(all: readonly T[], holds: (one: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(holds), all.filter(one => !holds(one))]
}
