import { type Address, hostPort, parseAddress } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'
import { braces, hexMark, L4PROTO, MASQUERADE } from './nft.ts'
import { rule } from './words.ts'

// The trees in which `nft -j` prints rules → the words of nft.ts. A tree that has no such words comes out as JSON: it is a
// rule we would not have written, and that is all one needs to know of it.

export type Expression = string | number | ExpressionTree

export interface ExpressionTree {
  readonly payload?: { readonly protocol?: string; readonly field?: string }
  readonly meta?: { readonly key: string }
  readonly ct?: { readonly key: string; readonly dir?: string }
  readonly fib?: { readonly result: string; readonly flags: string | readonly string[] }
  readonly prefix?: { readonly addr: string | number; readonly len: number }
  readonly numgen?: { readonly mode: string; readonly mod: number; readonly offset?: number }
  readonly map?: Lookup
  readonly concat?: readonly Expression[]
  readonly '&'?: readonly Expression[]
  readonly '|'?: readonly Expression[]
  readonly '^'?: readonly Expression[]
}

export interface StatementTree {
  readonly match?: { readonly op: string; readonly left: Expression; readonly right: Expression }
  readonly mangle?: { readonly key: Expression; readonly value: Expression }
  readonly goto?: { readonly target: string }
  readonly jump?: { readonly target: string }
  readonly return?: null
  readonly drop?: null
  readonly accept?: null
  readonly reject?: { readonly type?: string; readonly expr?: string } | null
  readonly masquerade?: { readonly flags?: string | readonly string[] } | null
  readonly dnat?: Destination
  readonly vmap?: Lookup
  readonly set?: Remembering
}

/** In a map that has a name, `@services`; or in choices that stand in the rule. */
interface Lookup {
  readonly key: Expression
  readonly data: string | { readonly set: readonly (readonly [Expression, NftValue])[] }
}

interface Destination {
  readonly family?: string
  readonly addr: Expression
  readonly port?: Expression
  readonly flags?: string | readonly string[]
}

interface Remembering {
  readonly op: string
  readonly set: string
  readonly elem: { readonly elem?: { readonly val: Expression; readonly timeout?: number } }
  /** What is kept with each element. */
  readonly stmt?: readonly object[]
}

/** What a key leads to: a verdict, or an address and port. */
export type NftValue = StatementTree | Expression

export function statement(tree: StatementTree): string {
  if (tree.goto !== undefined) return `goto ${tree.goto.target}`
  if (tree.jump !== undefined) return `jump ${tree.jump.target}`
  if (tree.match !== undefined && tree.match.op in OPERATORS) return match(tree.match)
  if (tree.vmap !== undefined) return `${expression(tree.vmap.key)} vmap ${choices(tree.vmap)}`
  if (tree.dnat !== undefined && isPlain(tree.dnat)) return dnat(tree.dnat)
  if (tree.mangle !== undefined) return `${expression(tree.mangle.key)} set ${expression(tree.mangle.value)}`
  if (tree.masquerade?.flags?.toString() === 'fully-random' && hasOnly(tree.masquerade, ['flags'])) return MASQUERADE
  if (tree.set?.elem.elem?.timeout !== undefined && hasOnly(tree.set, ['op', 'elem', 'set'])) {
    const { val, timeout } = tree.set.elem.elem
    return `${tree.set.op} ${tree.set.set} { ${expression(val)} timeout ${timeout}s }`
  }
  if (tree.reject === null || tree.reject?.expr === 'port-unreachable') return 'reject'
  for (const verdict of ['return', 'drop', 'accept'] as const) if (verdict in tree) return verdict
  return JSON.stringify(tree)
}

export function expression(tree: Expression): string {
  if (typeof tree === 'string') return canonical(tree)
  if (typeof tree === 'number') return String(tree)
  if (tree.concat !== undefined) return tree.concat.map(expression).join(' . ')
  if (tree.payload?.field !== undefined && tree.payload.protocol !== undefined)
    return `${tree.payload.protocol} ${tree.payload.field}`
  if (tree.meta !== undefined) return tree.meta.key === 'iifname' ? 'iifname' : `meta ${tree.meta.key}`
  if (tree.ct !== undefined && hasOnly(tree.ct, ['key'])) return `ct ${tree.ct.key}`
  if (tree.fib !== undefined) return `fib ${[tree.fib.flags].flat().join(' . ')} ${tree.fib.result}`
  if (tree.prefix !== undefined) return `${expression(tree.prefix.addr)}/${tree.prefix.len}`
  if (tree.numgen !== undefined && (tree.numgen.offset ?? 0) === 0) return numgen(tree.numgen)
  if (tree.map !== undefined) return `${expression(tree.map.key)} map ${choices(tree.map)}`
  for (const sign of ['&', '|', '^'] as const) if (tree[sign] !== undefined) return marks(tree[sign], sign)
  return JSON.stringify(tree)
}

export function valueText(value: NftValue): string {
  return typeof value === 'object' && !('concat' in value)
    ? statement(value as StatementTree)
    : expression(value as Expression)
}

/** A protocol by its name; on a machine without /etc/protocols nft prints its number. */
export function protocolName(protocol: Expression): string {
  return PROTOCOL_BY_NUMBER[Number(protocol)] ?? expression(protocol)
}

const PROTOCOL_BY_NUMBER: Readonly<Record<number, Protocol>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' }

/** What nft leaves out where it is meant, and says where it is not. */
const OPERATORS: Readonly<Record<string, string | false>> = { '==': false, in: false, '!=': '!=' }

function match({ left, op, right }: NonNullable<StatementTree['match']>): string {
  const subject = expression(left)
  const { prefix } = typeof right === 'object' ? right : {}
  if (typeof prefix?.addr === 'number') return rule(subject, '&', mask(prefix.len), op, prefix.addr)
  return rule(subject, OPERATORS[op], object(subject, right))
}

/** Bits at the very front, as those of mark 0x80000000, are printed as the first bits of an address would be. */
function mask(bits: number): string {
  return hexMark(0xffff_ffff << (32 - bits))
}

function object(subject: string, right: Expression): string {
  if (subject === 'iifname') return `"${right}"`
  return subject === L4PROTO ? protocolName(right) : expression(right)
}

function dnat({ family, addr, port }: Destination): string {
  if (typeof addr === 'string') return `dnat to ${hostPort(canonical(addr) as Address, Number(port))}`
  return `dnat ${family} to ${expression(addr)}`
}

/** To one address and port, or to one of each that is looked up; and how a source port is chosen is left to the kernel. */
function isPlain({ family, addr, port, flags }: Destination): boolean {
  if (flags !== undefined) return false
  return typeof addr === 'string' ? typeof port === 'number' : port === undefined && family !== undefined
}

/** A tree with more in it means more than our words for it. */
function hasOnly(tree: object, keys: readonly string[]): boolean {
  return Object.keys(tree).every(key => keys.includes(key))
}

/** The kernel keeps choices in no order. */
function choices({ data }: Lookup): string {
  if (typeof data === 'string') return data
  const sorted = data.set.toSorted(([a], [b]) => Number(a) - Number(b))
  return braces(sorted.map(([key, value]) => `${expression(key)} : ${valueText(value)}`))
}

function numgen({ mode, mod }: NonNullable<ExpressionTree['numgen']>): string {
  return `numgen ${mode} mod ${mod}`
}

function marks(parts: readonly Expression[], sign: string): string {
  return parts.map(part => (typeof part === 'number' ? hexMark(part) : expression(part))).join(` ${sign} `)
}

/** nft writes the last 32 bits of some IPv6 addresses with dots. */
function canonical(text: string): string {
  return text.includes(':') && text.includes('.') ? (parseAddress(text) ?? text) : text
}
