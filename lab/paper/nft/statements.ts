import type { Expression, NftValue, StatementTree } from '#dialects/nft-tree.ts'
import { literal, lookup, object, subject } from './expressions.ts'
import { syntax } from './refusal.ts'
import { NftWords } from './words.ts'

// A rule in the words of nft.ts → the trees in which `nft -j` prints it.

export interface ParsedRule {
  readonly expr: readonly StatementTree[]
  readonly comment?: string
}

const WITHOUT_OPERANDS = ['drop', 'accept', 'return']
/** Several of these may be asked for at once, so the comparison is `in`. */
const FLAGS = ['state', 'status']

export function parsedRule(family: string, words: NftWords): ParsedRule {
  const expr: StatementTree[] = []
  while (!words.over) {
    if (words.skip('comment')) {
      const comment = words.take()
      words.refuseRest()
      return { expr, comment }
    }
    expr.push(statement(family, words))
  }
  if (expr.length === 0) throw syntax(undefined)
  return { expr }
}

export function verdict(words: NftWords): StatementTree {
  const word = words.take()
  if (word === 'goto' || word === 'jump') return { [word]: { target: words.take() } }
  if (WITHOUT_OPERANDS.includes(word)) return { [word]: null }
  throw syntax(word)
}

/** The value of an element, in a map of verdicts or of another type. */
export function mapped(type: string, words: NftWords): NftValue {
  return type === 'verdict' ? verdict(words) : literal(words)
}

function statement(family: string, words: NftWords): StatementTree {
  const word = words.peek()!
  if (word === 'goto' || word === 'jump' || WITHOUT_OPERANDS.includes(word)) return verdict(words)
  if (words.skip('reject')) {
    return { reject: { type: family === 'ip6' ? 'icmpv6' : 'icmp', expr: 'port-unreachable' } }
  }
  if (words.skip('masquerade')) return { masquerade: words.skip('fully-random') ? { flags: 'fully-random' } : null }
  if (words.skip('dnat')) return { dnat: dnat(words) }
  if (words.skip('update')) return { set: remembering(words) }
  return aboutSubject(words)
}

function dnat(words: NftWords): NonNullable<StatementTree['dnat']> {
  if (words.skip('to')) {
    const [, bracketed, plain, port] = /^(?:\[([\da-f:.]+)\]|([\d.]+)):(\d+)$/.exec(words.take()) ?? []
    if (port === undefined) throw syntax(undefined)
    return { addr: (bracketed ?? plain)!, port: Number(port) }
  }
  const family = words.take()
  words.expect('to')
  const key = subject(words)
  words.expect('map')
  return { family, addr: { map: lookup(words, key, literal) } }
}

function remembering(words: NftWords): NonNullable<StatementTree['set']> {
  const set = words.take()
  const [item = new NftWords('')] = [...words.items()]
  const val = subject(item)
  item.expect('timeout')
  return { op: 'update', elem: { elem: { val, timeout: Number.parseInt(item.take(), 10) } }, set }
}

function aboutSubject(words: NftWords): StatementTree {
  const left = subject(words)
  if (words.skip('vmap')) return { vmap: lookup(words, left, verdict) }
  if (words.skip('set')) return { mangle: { key: left, value: newMark(words) } }
  if (words.skip('&')) {
    const masked = { '&': [left, words.number()] }
    return { match: { op: words.skip('!=') ? '!=' : '==', left: masked, right: object(words) } }
  }
  const unequal = words.skip('!=')
  const right = object(words)
  return { match: { op: unequal ? '!=' : usualOp(left), left, right } }
}

function usualOp(left: Expression): string {
  const key = typeof left === 'object' ? left.ct?.key : undefined
  return key !== undefined && FLAGS.includes(key) ? 'in' : '=='
}

/** `meta mark | 0x4000` */
function newMark(words: NftWords): Expression {
  const before = subject(words)
  const sign = words.take()
  if (sign !== '|' && sign !== '^' && sign !== '&') throw syntax(sign)
  return { [sign]: [before, words.number()] }
}
