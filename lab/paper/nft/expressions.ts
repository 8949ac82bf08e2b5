import type { Expression, ExpressionTree, NftValue } from '#dialects/nft-tree.ts'
import { syntax } from './refusal.ts'
import type { NftWords } from './words.ts'

// The words of nft.ts for what a rule looks at → the trees in which `nft -j` prints them.

const NETWORK = ['ip', 'ip6']
const TRANSPORT = ['th', 'tcp', 'udp', 'sctp']

/** `ip daddr . meta l4proto . th dport`: one part as it is, several as a concatenation. */
export function subject(words: NftWords): Expression {
  const parts = [part(words)]
  while (words.skip('.')) parts.push(part(words))
  return parts.length === 1 ? parts[0]! : { concat: parts }
}

function part(words: NftWords): ExpressionTree {
  const word = words.take()
  if (word === 'meta' || word === 'ct') return { [word]: { key: words.take() } }
  if (word === 'iifname') return { meta: { key: 'iifname' } }
  if (NETWORK.includes(word) || TRANSPORT.includes(word)) {
    const field = words.take()
    const known = NETWORK.includes(word) ? ['saddr', 'daddr'] : ['sport', 'dport']
    if (!known.includes(field)) throw syntax(field)
    return { payload: { protocol: word, field } }
  }
  if (word === 'fib') {
    const flags = [words.take()]
    while (words.skip('.')) flags.push(words.take())
    return { fib: { result: words.take(), flags } }
  }
  if (word !== 'numgen') throw syntax(word)
  const mode = words.take()
  words.expect('mod')
  return { numgen: { mode, mod: words.number(), offset: 0 } }
}

/** What a subject is compared with. */
export function object(words: NftWords): Expression {
  const word = words.take()
  if (/^(0x[\da-f]+|\d+)$/.test(word)) return Number(word)
  const [, addr, len] = /^([\d.]+|[\da-f:.]*:[\da-f:.]*)\/(\d+)$/.exec(word) ?? []
  return addr === undefined ? word : { prefix: { addr, len: Number(len) } }
}

/** `@services`, or choices that stand in the rule: `{ 0 : goto a , 1 : goto b }`. */
export function lookup(words: NftWords, key: Expression, value: (words: NftWords) => NftValue) {
  if (words.peek()?.startsWith('@')) return { key, data: words.take() }
  const set = [...words.items()].map(item => {
    const number = item.number()
    item.expect(':')
    return [number, value(item)] as const
  })
  return { key, data: { set } }
}

/** `10.0.0.1 . 80`: a value of a map, or a key; numbers are numbers. */
export function literal(words: NftWords): Expression {
  const parts = [literalPart(words)]
  while (words.skip('.')) parts.push(literalPart(words))
  return parts.length === 1 ? parts[0]! : { concat: parts }
}

function literalPart(words: NftWords): Expression {
  const word = words.take()
  return /^\d+$/.test(word) ? Number(word) : word
}
