import type { Expression } from '#dialects/nft-tree.ts'
import { familyOf, parseAddress } from '#values/address.ts'
import { literal, subject } from './expressions.ts'
import { NftRefusal, syntax } from './refusal.ts'
import type { NftChain, NftElement, NftSet } from './state.ts'
import { mapped } from './statements.ts'
import type { NftWords } from './words.ts'

// What stands in the braces of a base chain, a set or a map, and of elements.

/** `{ type nat hook output priority -100 ; policy accept ; }` */
export function hookIn(words: NftWords): NonNullable<NftChain['hook']> {
  words.expect('{')
  words.expect('type')
  const type = words.take()
  words.expect('hook')
  const hook = words.take()
  words.expect('priority')
  const prio = Number(words.take())
  words.expect(';')
  let policy = 'accept'
  if (words.skip('policy')) {
    policy = words.take()
    words.expect(';')
  }
  words.expect('}')
  words.refuseRest()
  if (!Number.isInteger(prio)) throw syntax(undefined)
  return { type, hook, prio, policy }
}

/** `{ type ipv4_addr . inet_service : verdict ; }`, or with `typeof` and expressions. */
export function declaredSet(kind: 'set' | 'map', words: NftWords): Omit<NftSet, 'handle' | 'elements'> {
  words.expect('{')
  const how = words.take()
  if (how !== 'type' && how !== 'typeof') throw syntax(how)
  const types = typesIn(how, words)
  const map = kind === 'map' ? mapType(how, words) : undefined
  words.expect(';')
  const flags: string[] = []
  while (!words.skip('}')) {
    const option = words.take()
    if (option !== 'flags' && option !== 'timeout' && option !== 'size') throw syntax(option)
    const value = words.take()
    if (option === 'flags') flags.push(...value.split(','))
    words.expect(';')
  }
  words.refuseRest()
  return { types, ...(map !== undefined && { map }), flags }
}

function mapType(how: 'type' | 'typeof', words: NftWords): string {
  words.expect(':')
  return typesIn(how, words).join(' . ')
}

function typesIn(how: 'type' | 'typeof', words: NftWords): readonly string[] {
  if (how === 'typeof') return typesOf(subject(words))
  const types = [words.take()]
  while (words.skip('.')) types.push(words.take())
  return types
}

function typesOf(example: Expression): readonly string[] {
  if (typeof example !== 'object') throw syntax(String(example))
  if (example.concat !== undefined) return example.concat.flatMap(typesOf)
  const { payload, meta, numgen } = example
  if (payload?.protocol === 'ip') return ['ipv4_addr']
  if (payload?.protocol === 'ip6') return ['ipv6_addr']
  if (payload !== undefined) return ['inet_service']
  if (meta?.key === 'l4proto') return ['inet_proto']
  if (numgen !== undefined) return ['integer']
  throw new NftRefusal('this expression has no type')
}

/** By their text, which is what makes them the same. */
export function* elementsIn(
  { types, map }: NftSet,
  words: NftWords,
  verb: string,
): Iterable<readonly [string, NftElement]> {
  for (const item of words.items()) {
    const key = literal(item)
    const parts = typeof key === 'object' && key.concat !== undefined ? key.concat : [key]
    if (parts.length !== types.length || !parts.every((part, i) => isOf(types[i]!, part))) {
      throw new NftRefusal('Could not resolve hostname: Address family for hostname not supported')
    }
    const comment = item.skip('comment') ? item.take() : undefined
    const value = item.skip(':') && map !== undefined ? mapped(map, item) : undefined
    if (map !== undefined && value === undefined && verb === 'add') throw syntax(item.peek())
    item.refuseRest()
    yield [
      JSON.stringify(key),
      { key, ...(value !== undefined && { value }), ...(comment !== undefined && { comment }) },
    ]
  }
}

function isOf(type: string, part: Expression): boolean {
  if (type === 'integer' || type === 'inet_service') return typeof part === 'number'
  if (typeof part !== 'string') return type === 'inet_proto'
  if (type === 'inet_proto') return /^[a-z]+$/.test(part)
  const address = parseAddress(part)
  return address !== undefined && familyOf(address) === (type === 'ipv4_addr' ? 'ipv4' : 'ipv6')
}
