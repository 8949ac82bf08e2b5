// JSON as it stands in a file: each value knows where.

/** `at` and `end` count characters from the start of the text. */
interface Located {
  readonly at: number
  readonly end: number
}

export interface JsonMember {
  readonly key: string
  readonly keyAt: number
  readonly value: JsonNode
}

export interface ObjectNode extends Located {
  readonly kind: 'object'
  readonly members: readonly JsonMember[]
}

export interface ListNode extends Located {
  readonly kind: 'list'
  readonly items: readonly JsonNode[]
}

export interface PlainNode extends Located {
  readonly kind: 'text' | 'number' | 'flag' | 'null'
  readonly value: string | number | boolean | null
}

export type JsonNode = ObjectNode | ListNode | PlainNode

/** Of several members with one key the last one counts, as for every program that reads JSON. */
export function memberOf(node: JsonNode | undefined, key: string): JsonMember | undefined {
  return node?.kind === 'object' ? node.members.findLast(member => member.key === key) : undefined
}

export function textAt(node: JsonNode | undefined, key: string): string | undefined {
  const value = memberOf(node, key)?.value
  return value?.kind === 'text' ? (value.value as string) : undefined
}

/** Whether a key of an object is true. */
export function isOn(node: JsonNode | undefined, key: string): boolean {
  const value = memberOf(node, key)?.value
  return value?.kind === 'flag' && value.value === true
}

/** What JSON.parse would have made of it. */
export function plainOf(node: JsonNode): unknown {
  if (node.kind === 'list') return node.items.map(plainOf)
  if (node.kind !== 'object') return node.value
  return Object.fromEntries(node.members.map(({ key, value }) => [key, plainOf(value)]))
}

export interface FoundNode {
  readonly at: number
  /** As it is written: a plugin takes a key in other letters, capital or small, for the one it reads. */
  readonly path: string
  readonly isExact: boolean
}

/** `plugins[0].ipam.subnet` → the value there, or the innermost one on the way that exists. */
export function nodeAt(root: JsonNode, path: string): FoundNode {
  let node = root
  let written = ''
  for (const [step, key, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    const member = key === undefined ? undefined : (memberOf(node, key) ?? foldedMember(node, key))
    const next = member?.value ?? (node.kind === 'list' && index !== undefined ? node.items[Number(index)] : undefined)
    if (next === undefined) return { at: node.at, path: written, isExact: false }
    node = next
    if (member === undefined) written += step
    else written = written === '' ? member.key : `${written}.${member.key}`
  }
  return { at: node.at, path: written, isExact: true }
}

function foldedMember(node: JsonNode, key: string): JsonMember | undefined {
  const folded = key.toLowerCase()
  return node.kind === 'object' ? node.members.find(member => member.key.toLowerCase() === folded) : undefined
}
