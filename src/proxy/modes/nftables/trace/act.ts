import type { Ruleset } from '#proxy/modes/mode.ts'
import { elementUnit } from '#proxy/modes/nftables/names.ts'
import type { Hop } from '#proxy/modes/trace.ts'
import { type Address, hostPort } from '#values/address.ts'
import { isNamed, keysOf, type Traveller } from './fields.ts'
import type { Data, Fields, Statement } from './parse.ts'

// A packet and one statement → what becomes of the packet; several things where the statement draws a number.

/** Where the packet is. */
export interface Place {
  readonly rules: Ruleset
  readonly chain: string
  readonly rule: string
}

export interface Step {
  readonly traveller: Traveller
  /** The rule goes on, the rule does not match, or what it decides: `drop`, `goto lb-3`. */
  readonly verdict: string
}

/** A rule that says something not known here: passing over it would be a wrong answer. */
export class CannotTrace extends Error {
  constructor({ chain, rule }: Place, words: string) {
    super(`cannot trace "${rule}" in chain ${chain}: "${words}" is nothing this mode writes`)
    this.name = 'CannotTrace'
  }
}

export const GOES_ON = 'goes on'
export const NO_MATCH = 'no match'

export function act(place: Place, statement: Statement, who: Traveller): readonly Step[] {
  const here = (did: string): Hop => ({ at: place.chain, rule: place.rule, did })
  switch (statement.do) {
    case 'match':
      return [{ traveller: who, verdict: matches(place, statement, who) ? GOES_ON : NO_MATCH }]
    case 'vmap':
      return lookUp(place, statement, who).map(({ drawn, found, at }) =>
        found === undefined
          ? { traveller: drawn, verdict: NO_MATCH }
          : { traveller: told(drawn, at(found)), verdict: found },
      )
    case 'dnat-by':
      return lookUp(place, statement, who).map(({ drawn, found, at }) =>
        found === undefined ? { traveller: drawn, verdict: NO_MATCH } : translated(drawn, found.split(' . '), at),
      )
    case 'dnat-to':
      return [translated(who, /^\[?(.*?)\]?:(\d+)$/.exec(statement.to)!.slice(1), here)]
    case 'mark':
      return [{ traveller: statement.how === 'set' ? marked(who, here) : unmarked(who), verdict: GOES_ON }]
    case 'masquerade':
      return [{ traveller: told(inState(who, 'masqueraded'), here('masquerade')), verdict: 'accept' }]
    case 'verdict':
      return [{ traveller: told(who, here(statement.verdict)), verdict: statement.verdict }]
    case 'aside':
      return [{ traveller: who, verdict: GOES_ON }]
    case 'unknown':
      throw new CannotTrace(place, statement.text)
  }
}

function matches({ rules }: Place, match: Statement & { readonly do: 'match' }, who: Traveller): boolean {
  const [key] = keysOf(match.fields, who)
  return key !== undefined && isNamed(rules, key, match.value, who) === (match.equal === 'yes')
}

interface Asking {
  readonly fields: Fields
  readonly data: Data
}

interface Lookup {
  /** The packet, with its share of those that drew the same number. */
  readonly drawn: Traveller
  readonly found?: string
  readonly at: (did: string) => Hop
}

function lookUp(place: Place, { fields, data }: Asking, who: Traveller): readonly Lookup[] {
  const keys = keysOf(fields, who)
  const here = (did: string): Hop => ({ at: place.chain, rule: place.rule, did })
  if (keys.length === 0) return [{ drawn: who, at: here }]
  return keys.map(key => {
    const drawn = keys.length === 1 ? who : { ...who, share: who.share / keys.length }
    if ('choices' in data) {
      const found = data.choices.get(key)
      return { drawn, at: here, ...(found !== undefined && { found }) }
    }
    const rest = place.rules.get(elementUnit(data.name, key))
    const at = (did: string): Hop => ({ at: data.name, rule: `${key} ${rest}`, did })
    return rest === undefined ? { drawn, at } : { drawn, at, found: rest.slice(rest.lastIndexOf(': ') + 2) }
  })
}

function translated(who: Traveller, [ip, port]: readonly string[], at: (did: string) => Hop): Step {
  const there = { ...inState(who, 'translated'), to: ip as Address, port: Number(port) }
  return { traveller: told(there, at(`dnat to ${hostPort(there.to, there.port)}`)), verdict: 'accept' }
}

function marked(who: Traveller, here: (did: string) => Hop): Traveller {
  return told(inState(who, 'marked'), here('mark for masquerade'))
}

function unmarked(who: Traveller): Traveller {
  return { ...who, state: who.state.difference(new Set(['marked'])) }
}

function inState(who: Traveller, state: 'marked' | 'translated' | 'masqueraded'): Traveller {
  return { ...who, state: new Set([...who.state, state]) }
}

function told(who: Traveller, hop: Hop): Traveller {
  return { ...who, hops: [...who.hops, hop] }
}
