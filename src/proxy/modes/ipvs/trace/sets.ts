import type { Rule } from 'iptables-parser'
import { entriesIn, memberUnit } from '#proxy/modes/ipvs/names.ts'
import { setOf, setSpec } from '#proxy/modes/ipvs/sets.ts'
import type { Ruleset } from '#proxy/modes/mode.ts'
import { type MatchParts, odds } from '#proxy/modes/netfilter/trace/match.ts'
import { knownOptions } from '#proxy/modes/netfilter/trace/options.ts'
import { CannotTrace } from '#proxy/modes/trace.ts'
import { type Address, familyOf } from '#values/address.ts'
import { contains, hostCidr, parseCidr } from '#values/cidr.ts'

// `-m set --match-set NAME dst,dst` and a packet → whether the set has it.

/** The fields of a packet that sets have entries for. */
interface Header {
  readonly protocol: string
  readonly from: Address
  readonly to: Address
  readonly port: number
}

export class Sets {
  readonly #rules: Ruleset
  readonly #ranges = new Map<string, readonly string[]>()

  constructor(rules: Ruleset) {
    this.#rules = rules
  }

  chance({ rule, match: { options }, visible: { packet, to, port } }: MatchParts): number {
    knownOptions(rule, options, ['--match-set'])
    const asked = options.get('--match-set')
    const [name = '', directions = ''] = asked?.values.join(' ').split(' ') ?? []
    const set = setOf(name, familyOf(to))
    if (set === undefined) throw new CannotTrace(rule, `asks a set "${name}", which is not ours`)
    const [type = ''] = setSpec(set, familyOf(to)).split(' ', 1)
    const header = { protocol: packet.protocol, from: packet.from, to, port }
    return odds(this.#has(name, type, entryParts(rule, type, { directions, header })) !== asked?.negated)
  }

  #has(name: string, type: string, parts: readonly string[]): boolean {
    if (type !== 'hash:ip,port,net') return this.#rules.has(memberUnit(name, parts.join(',')))
    const [ip, port, source] = parts
    return this.#rangesOf(name).some(entry => {
      const [atIp, atPort, range = ''] = entry.split(',')
      const cidr = parseCidr(range) ?? hostCidr(range as Address)
      return atIp === ip && atPort === port && contains(cidr, source as Address)
    })
  }

  #rangesOf(name: string): readonly string[] {
    const found = this.#ranges.get(name) ?? entriesIn(this.#rules.keys(), name)
    this.#ranges.set(name, found)
    return found
  }
}

interface Asked {
  /** `dst,dst,src`: where each part of an entry is looked for. */
  readonly directions: string
  readonly header: Header
}

function entryParts(rule: Rule, type: string, { directions, header }: Asked): readonly string[] {
  const dimensions = type.slice(type.indexOf(':') + 1).split(',')
  const ways = directions.split(',')
  if (ways.length !== dimensions.length) throw new CannotTrace(rule, `asks a ${type} set for "${directions}"`)
  return dimensions.map((dimension, i) => {
    if (dimension !== 'port') return ways[i] === 'src' ? header.from : header.to
    if (ways[i] === 'src') throw new CannotTrace(rule, 'asks for a source port, which is not known here')
    return type.startsWith('bitmap') ? `${header.port}` : `${header.protocol}:${header.port}`
  })
}
