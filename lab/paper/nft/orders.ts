import { syntax } from './refusal.ts'
import { NftWords } from './words.ts'

// A line of a script → what is to be done, with what.

export type NftVerb = 'add' | 'create' | 'delete' | 'flush'
export type NftObject = 'table' | 'chain' | 'rule' | 'set' | 'map' | 'element'

export interface NftOrder {
  readonly verb: NftVerb
  readonly object: NftObject
  readonly family: string
  readonly table: string
  /** The chain, set or map; empty for a table. */
  readonly name: string
  /** What follows. */
  readonly rest: NftWords
}

const VERBS: readonly string[] = ['add', 'create', 'delete', 'flush']
const OBJECTS: readonly string[] = ['table', 'chain', 'rule', 'set', 'map', 'element']
const FAMILIES = ['ip', 'ip6', 'inet', 'bridge', 'arp', 'netdev']

/** Undefined for a line that has nothing to do. */
export function orderOf(line: string): NftOrder | undefined {
  const text = line.replace(/^\s*#.*$/, '').trim()
  if (text === '') return undefined
  const words = new NftWords(text)
  const verb = words.take()
  if (!VERBS.includes(verb)) throw syntax(verb)
  const object = words.take()
  if (!OBJECTS.includes(object)) throw syntax(object)
  const family = FAMILIES.includes(words.peek() ?? '') ? words.take() : 'ip'
  const table = words.take()
  const name = object === 'table' ? '' : words.take()
  return { verb: verb as NftVerb, object: object as NftObject, family, table, name, rest: words }
}
