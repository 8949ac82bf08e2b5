import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Plan, Unit } from '#proxy/modes/mode.ts'
import { textOf } from '#proxy/modes/unit.ts'
import { FAMILY_LABEL, hostPort, parseAddress } from '#values/address.ts'
import { PROTOCOLS, type Protocol } from '#values/protocol.ts'
import { bothTexts, linesOf, type NodeDifference } from '../difference.ts'
import { CANNOT, changeOf, type MeaningParts, meaningFor } from './meaning.ts'

// What would make the kernel hold what it should → differences, each with its Services and what it does to connections.

export interface ServiceRules extends MeaningParts {
  readonly plan: Plan
  /** Service ports by the names under which they own units. */
  readonly traffic: ReadonlyMap<string, ServiceTraffic>
  /** The service ports that want a unit; none of one that is the node's own. */
  readonly ownersOf: (unit: Unit) => readonly string[]
}

/** Followed packets cost time on a large node: beyond this many, a difference is named without what it means. */
const MOST_MEANINGS = 40
/** For a unit of no Service, or of very many: what becomes of some Services is what becomes of them all. */
const SAMPLE = 3
const SAMPLE_OF_NODE = 12
const MANY = 10

export function serviceDifferences(rules: ServiceRules): readonly NodeDifference[] {
  const { plan, installed, view } = rules
  const meanings = new Meanings(rules)
  const base = (unit: Unit) => ({ part: 'services', unit: `${FAMILY_LABEL[view.family]} ${textOf(unit)}` }) as const
  return [
    ...[...plan.add].map(([unit, wanted]): NodeDifference => {
      const owners = rules.ownersOf(unit)
      const texts = { found: [], wanted: linesOf(wanted), alike: 0 }
      return { kind: 'missing', ...base(unit), owners, ...texts, means: meanings.ofMissing(unit, owners) }
    }),
    ...[...plan.change].map(([unit, wanted]): NodeDifference => {
      const owners = rules.ownersOf(unit)
      const texts = bothTexts(installed.get(unit) ?? '', wanted)
      return { kind: 'different', ...base(unit), owners, ...texts, means: meanings.of(unit, owners) }
    }),
    ...[...plan.remove].map((unit): NodeDifference => {
      const found = installed.get(unit) ?? ''
      const means = meanings.ofExtra(unit, found)
      return { kind: 'extra', ...base(unit), owners: [], found: linesOf(found), wanted: [], alike: 0, means }
    }),
  ]
}

/** What one difference does by itself: rules as they should be, but for this unit. */
class Meanings {
  readonly #rules: ServiceRules
  #given = 0

  constructor(rules: ServiceRules) {
    this.#rules = rules
  }

  of(unit: Unit, owners: readonly string[]): string {
    if (++this.#given > MOST_MEANINGS) return ''
    return this.#changed(owners, this.#withThisAlone(unit))
  }

  /** Where very much is missing, a unit may hold others: alone it says little. */
  ofMissing(unit: Unit, owners: readonly string[]): string {
    const alone = this.of(unit, owners)
    if (alone !== NOTHING_MEANT || this.#rules.plan.add.size < MANY) return alone
    const whole = this.#changed(owners, this.#rules)
    return whole === NOTHING_MEANT ? whole : `with all else that is missing, ${whole}`
  }

  #changed(owners: readonly string[], parts: MeaningParts): string {
    const asked =
      owners.length === 0 ? [...this.#rules.traffic.keys()].slice(0, SAMPLE_OF_NODE) : owners.slice(0, SAMPLE)
    const changed = asked.flatMap(owner => {
      const found = this.#ofOwner(owner, parts)
      return found.length === 0 ? [] : [found.join('; ')]
    })
    if (changed.length === 0) return NOTHING_MEANT
    if (owners.length === 0) {
      const others = this.#rules.traffic.size - 1
      return `${changed[0]}${others > 0 ? `; and so for others of the ${this.#rules.traffic.size} service ports` : ''}`
    }
    return `${changed.join('; ')}${owners.length > SAMPLE ? `; and so for ${owners.length - SAMPLE} more service ports` : ''}`
  }

  /** No Service wants it: what it leads to may still answer. */
  ofExtra(unit: Unit, text: string): string {
    const parts = this.#withThisAlone(unit)
    const { nodeAddresses } = this.#rules
    const reached = destinationsIn(`${textOf(unit)}\n${text}`).flatMap(({ to, port, protocol }) => {
      if (to === undefined) return []
      const about = { to, port, protocol, nodeAddresses }
      const change = changeOf({ ...about, from: to, via: { hook: 'prerouting', iface: 'cni0' } }, parts)
      return change === undefined
        ? []
        : [`connections to ${hostPort(to, port)}/${protocol}, which is of no Service now, ${change}`]
    })
    if (reached.length > 0) return [...new Set(reached)].slice(0, SAMPLE).join('; ')
    const changed = this.of(unit, [])
    return changed === NOTHING_MEANT ? 'nothing that is of a Service now leads to it' : changed
  }

  #withThisAlone(unit: Unit): MeaningParts {
    const { installed, wanted } = this.#rules
    const alone = new Map(wanted)
    const found = installed.get(unit)
    if (found === undefined) alone.delete(unit)
    else alone.set(unit, found)
    return { ...this.#rules, installed: alone }
  }

  #ofOwner(owner: string, alone: MeaningParts): readonly string[] {
    const traffic = this.#rules.traffic.get(owner)
    if (traffic === undefined) return []
    const found = meaningFor(traffic, alone)
    // Without this unit alone the rules would not hold together: then all that is there is followed.
    return found.some(one => one.includes(CANNOT)) ? meaningFor(traffic, this.#rules) : found
  }
}

export const NOTHING_MEANT = 'new connections go where they should all the same'

interface Destination {
  readonly to: ReturnType<typeof parseAddress>
  readonly port: number
  readonly protocol: Protocol
}

const FORMS = [
  // iptables, ipvsadm and elements of nftables, in this order.
  /-d (?<to>[0-9a-f.:]+)\/\d+ .*-p (?<protocol>\w+) .*--dport (?<port>\d+)/g,
  /\b(?<protocol>tcp|udp|sctp) \[?(?<to>[0-9a-f.:]+?)\]?:(?<port>\d+)\b/g,
  /\b(?<to>[0-9a-f]+[0-9a-f.:]+) \. (?<protocol>tcp|udp|sctp) \. (?<port>\d+)/g,
]

/** Addresses and ports that a rule names as its own. */
function destinationsIn(text: string): readonly Destination[] {
  return FORMS.flatMap(form => [...text.matchAll(form)]).flatMap(({ groups }) => {
    const { to, port, protocol = '' } = groups ?? {}
    const known = PROTOCOLS.find(one => one === protocol)
    return known === undefined ? [] : [{ to: parseAddress(to), port: Number(port), protocol: known }]
  })
}
