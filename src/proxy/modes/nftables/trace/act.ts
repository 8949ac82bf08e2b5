import type { Ruleset } from '#proxy/modes/mode.ts'
import { elementUnit } from '#proxy/modes/nftables/names.ts'
import type { Hop } from '#proxy/modes/trace.ts'
import { type Address, hostPort } from '#values/address.ts'
import { isNamed, keysOf, type NftPacket } from './fields.ts'
import type { LookupSource, PacketFields, Statement } from './parse.ts'

// A packet and one statement of a rule → the packet after it; several where the statement draws a number.

/** The rule a packet is at. */
export interface RulePosition {
  readonly rules: Ruleset
  readonly chain: string
  readonly rule: string
}

export interface Step {
  readonly traced: NftPacket
  /** The rule goes on, it does not match, or its verdict: `drop`, `goto lb-3`. */
  readonly verdict: string
}

/** A rule has words that this mode does not write: passing over them would give a wrong answer. */
class UnknownWords extends Error {
  constructor({ chain, rule }: RulePosition, words: string) {
    super(`cannot trace "${rule}" in chain ${chain}: "${words}" is nothing this mode writes`)
    this.name = 'CannotTrace'
  }
}

export const GOES_ON = 'goes on'
export const NO_MATCH = 'no match'

export function act(position: RulePosition, statement: Statement, traced: NftPacket): readonly Step[] {
  const here = (did: string): Hop => ({ at: position.chain, rule: position.rule, did })
  switch (statement.do) {
    case 'match':
      return [{ traced, verdict: matches(position, statement, traced) ? GOES_ON : NO_MATCH }]
    case 'vmap':
      return lookUp(position, statement, traced).map(({ drawn, found, at }) =>
        found === undefined
          ? { traced: drawn, verdict: NO_MATCH }
          : { traced: withHop(drawn, at(found)), verdict: found },
      )
    case 'dnat-by':
      return lookUp(position, statement, traced).map(({ drawn, found, at }) =>
        found === undefined ? { traced: drawn, verdict: NO_MATCH } : translated(drawn, found.split(' . '), at),
      )
    case 'dnat-to':
      return [translated(traced, /^\[?(.*?)\]?:(\d+)$/.exec(statement.to)!.slice(1), here)]
    case 'mark':
      return [{ traced: statement.how === 'set' ? marked(traced, here) : unmarked(traced), verdict: GOES_ON }]
    case 'masquerade':
      return [{ traced: withHop(inState(traced, 'masqueraded'), here('masquerade')), verdict: 'accept' }]
    case 'verdict':
      return [{ traced: withHop(traced, here(statement.verdict)), verdict: statement.verdict }]
    case 'aside':
      return [{ traced, verdict: GOES_ON }]
    case 'unknown':
      throw new UnknownWords(position, statement.text)
  }
}

function matches({ rules }: RulePosition, match: Statement & { readonly do: 'match' }, traced: NftPacket): boolean {
  const [key] = keysOf(match.fields, traced)
  return key !== undefined && isNamed(rules, key, match.value, traced) === (match.equal === 'yes')
}

interface Asking {
  readonly fields: PacketFields
  readonly source: LookupSource
}

interface Lookup {
  /** The packet, with its share of those that drew the same number. */
  readonly drawn: NftPacket
  readonly found?: string
  readonly at: (did: string) => Hop
}

function lookUp(position: RulePosition, { fields, source }: Asking, traced: NftPacket): readonly Lookup[] {
  const keys = keysOf(fields, traced)
  const here = (did: string): Hop => ({ at: position.chain, rule: position.rule, did })
  if (keys.length === 0) return [{ drawn: traced, at: here }]
  return keys.map(key => {
    const drawn = keys.length === 1 ? traced : { ...traced, share: traced.share / keys.length }
    if ('choices' in source) {
      const found = source.choices.get(key)
      return { drawn, at: here, ...(found !== undefined && { found }) }
    }
    const rest = position.rules.get(elementUnit(source.name, key))
    const at = (did: string): Hop => ({ at: source.name, rule: `${key} ${rest}`, did })
    return rest === undefined ? { drawn, at } : { drawn, at, found: rest.slice(rest.lastIndexOf(': ') + 2) }
  })
}

function translated(traced: NftPacket, [ip, port]: readonly string[], at: (did: string) => Hop): Step {
  const there = { ...inState(traced, 'translated'), to: ip as Address, port: Number(port) }
  return { traced: withHop(there, at(`dnat to ${hostPort(there.to, there.port)}`)), verdict: 'accept' }
}

function marked(traced: NftPacket, here: (did: string) => Hop): NftPacket {
  return withHop(inState(traced, 'marked'), here('mark for masquerade'))
}

function unmarked(traced: NftPacket): NftPacket {
  return { ...traced, state: traced.state.difference(new Set(['marked'])) }
}

function inState(traced: NftPacket, state: 'marked' | 'translated' | 'masqueraded'): NftPacket {
  return { ...traced, state: new Set([...traced.state, state]) }
}

function withHop(traced: NftPacket, hop: Hop): NftPacket {
  return { ...traced, hops: [...traced.hops, hop] }
}
