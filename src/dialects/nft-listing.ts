import { FAMILY_WORDS, type Hook, hookLine, L4PROTO } from './nft.ts'
import {
  type Expression,
  expression,
  type NftValue,
  protocolName,
  type StatementTree,
  statement,
  valueText,
} from './nft-tree.ts'
import { rule } from './words.ts'

// What `nft -j list table` prints → chains, sets and maps in the words of nft.ts.

export interface Listing {
  /** Name → the hook of a base chain, and the rules, one a line. */
  readonly chains: ReadonlyMap<string, string>
  readonly sets: ReadonlyMap<string, Declared>
  readonly maps: ReadonlyMap<string, Declared>
}

export interface Declared {
  /** In the names of types, whatever way they were declared: `ipv4_addr . inet_service : verdict`. */
  readonly types: string
  /** Key → what stands behind it: a comment, a value, nothing. */
  elements(): Iterable<readonly [key: string, rest: string]>
}

interface Listed {
  readonly chain?: ListedChain
  readonly set?: ListedSet
  readonly map?: ListedSet
  readonly rule?: ListedRule
}

interface ListedChain extends Partial<Hook> {
  readonly table?: string
  readonly name: string
  readonly prio?: number
}

interface ListedRule {
  readonly table?: string
  readonly chain: string
  readonly expr: readonly StatementTree[]
  readonly comment?: string
}

interface ListedSet {
  readonly table?: string
  readonly name: string
  readonly type: Type
  /** The type of the values, in a map. */
  readonly map?: Type
  readonly flags?: string | readonly string[]
  readonly timeout?: number
  readonly elem?: readonly (Key | readonly [Key, NftValue])[]
}

/** nft 1.0.6 says a `typeof` declaration in types, newer versions in the expressions it was made with. */
type Type = string | readonly string[] | { readonly typeof: Expression }
type Key = Expression | { readonly elem: { readonly val: Expression; readonly comment?: string } }

/** Of one table, or of all there are. */
export function listingOf(json: string, table?: string): Listing {
  const { nftables } = JSON.parse(json) as { readonly nftables: readonly Listed[] }
  const chains = new Map<string, string[]>()
  const sets = new Map<string, Declared>()
  const maps = new Map<string, Declared>()
  for (const listed of nftables) {
    const { chain, set, map, rule } = listed
    if (table !== undefined && (chain ?? set ?? map ?? rule)?.table !== table) continue
    if (chain !== undefined) chains.set(chain.name, hookOf(chain))
    if (set !== undefined) sets.set(set.name, declared(set))
    if (map !== undefined) maps.set(map.name, declared(map))
    if (rule !== undefined) chains.get(rule.chain)?.push(ruleText(rule))
  }
  return { chains: new Map([...chains].map(([name, lines]) => [name, lines.join('\n')])), sets, maps }
}

function hookOf({ type, hook, prio, policy }: ListedChain): string[] {
  if (hook === undefined) return []
  return [hookLine({ type: type!, hook, priority: prio!, policy: policy! })]
}

function ruleText({ expr, comment }: ListedRule): string {
  return rule(...expr.map(statement), comment !== undefined && `comment "${comment}"`)
}

function declared(set: ListedSet): Declared {
  const key = typesOf(set.type)
  const { map, flags, timeout } = set
  const types = rule(
    key.join(' . '),
    map !== undefined && `: ${typesOf(map).join(' . ')}`,
    [flags].flat().includes('timeout') && '; flags dynamic,timeout',
    timeout !== undefined && `; timeout ${timeout}s`,
  )
  return { types, elements: () => elements(set, key.indexOf('inet_proto')) }
}

function typesOf(type: Type): readonly string[] {
  if (typeof type === 'string') return type.split(' . ')
  if (!('typeof' in type)) return type
  return expression(type.typeof)
    .split(' . ')
    .map(example => EXAMPLES.find(([pattern]) => pattern.test(example))?.[1] ?? example)
}

const EXAMPLES: readonly (readonly [RegExp, string])[] = [
  [/^ip [sd]addr$/, FAMILY_WORDS.ipv4.addressType],
  [/^ip6 [sd]addr$/, FAMILY_WORDS.ipv6.addressType],
  [new RegExp(`^${L4PROTO}$`), 'inet_proto'],
  [/^\w+ [sd]port$/, 'inet_service'],
  [/^numgen /, 'integer'],
]

function* elements({ elem = [], map }: ListedSet, protocolAt: number): Iterable<readonly [string, string]> {
  for (const element of elem) {
    const [listed, value] = map === undefined ? [element as Key] : (element as readonly [Key, NftValue])
    const { val, comment } = typeof listed === 'object' && 'elem' in listed ? listed.elem : { val: listed }
    yield [
      keyText(val, protocolAt),
      rule(comment !== undefined && `comment "${comment}"`, value !== undefined && `: ${valueText(value)}`),
    ]
  }
}

function keyText(key: Expression, protocolAt: number): string {
  if (typeof key !== 'object' || key.concat === undefined) return expression(key)
  return key.concat.map((part, i) => (i === protocolAt ? protocolName(part) : expression(part))).join(' . ')
}
