import { shownJson } from '#cni/protocol/json.ts'
import { nearest } from '#config/table/nearest.ts'
import type { Findings } from '../finding.ts'
import { type JsonMember, type JsonNode, nodeAt, type ObjectNode, plainOf } from '../json/node.ts'
import { plainProblem } from './plain-problem.ts'
import type { Keys, Needed, Shape } from './shape.ts'

// An object of a configuration, and the keys it may have → what is wrong with keys and values. A key that no program reads is
// passed over by all of them without a word, so what it was meant for does not happen: that is what people search for longest.

export interface KeyRules {
  readonly keys: Keys
  /** Whose keys they are: `bridge`, `a route`. */
  readonly of: string
  /** Keys that are right in another place, and which place that is. */
  readonly elsewhere?: ReadonlyMap<string, string>
  /** Where an object may have keys that are not known here, only known ones are looked at. */
  readonly others?: 'allowed'
  /** Where a key in other letters, capital or small, is another key. */
  readonly letterCase?: 'counts'
  /** Where null is not as good as an absent key. */
  readonly nulls?: 'refused'
}

export interface Place {
  readonly findings: Findings
  /** Of the object. */
  readonly path: string
}

/** What people write into JSON for lack of comments, and what programs put there for each other. */
const NOT_KEYS = /^(?:_|\$|#|\/\/|cni\.dev\/|(?:comment|description|note)$)/i

export function checkKeys(node: ObjectNode, rules: KeyRules, place: Place): void {
  for (const member of node.members) {
    checkRepeated(node, member, place)
    const shape = Object.hasOwn(rules.keys, member.key) ? rules.keys[member.key] : undefined
    if (shape !== undefined) checkMember(member, shape, { ...place, path: below(place.path, member.key) }, rules)
    else if (!NOT_KEYS.test(member.key)) unknownKey(member, rules, place)
  }
}

export function below(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function unknownKey(member: JsonMember, rules: KeyRules, place: Place): void {
  const { key, keyAt, value } = member
  const full = below(place.path, key)
  const folded = Object.keys(rules.keys).find(candidate => candidate.toLowerCase() === key.toLowerCase())
  if (folded === undefined) {
    if (rules.others !== 'allowed') unreadKey(member, rules, place)
  } else if (rules.letterCase === 'counts') {
    place.findings.refuse(keyAt, full, `${full} is no key; write ${folded}`)
  } else {
    const sentence = `${full} is taken for ${folded} by some programs and passed over by others; write ${folded}`
    place.findings.doubt(keyAt, full, sentence)
    checkShape(value, rules.keys[folded]!, { ...place, path: full })
  }
}

function unreadKey({ key, keyAt }: JsonMember, { of, keys, elsewhere }: KeyRules, { findings, path }: Place): void {
  const full = below(path, key)
  const other = elsewhere?.get(key)
  const meant = nearest(key, Object.keys(keys))
  if (other !== undefined) findings.refuse(keyAt, full, `${full} is no key of ${of}; ${other}`)
  else if (meant !== undefined) findings.refuse(keyAt, full, `${full} is no key of ${of}; did you mean ${meant}?`)
  else findings.doubt(keyAt, full, `${full} is no key of ${of}; it is passed over`)
}

/** All programs take the last one. */
function checkRepeated(node: ObjectNode, member: JsonMember, { findings, path }: Place): void {
  const last = node.members.findLast(({ key }) => key === member.key)
  if (last === member) return
  const full = below(path, member.key)
  findings.refuse(member.keyAt, full, `${full} is there twice, and only the last one counts; remove one of them`)
}

function checkMember({ value }: JsonMember, shape: Shape, place: Place, { nulls }: KeyRules): void {
  if (nulls === 'refused' && value.kind === 'null') checkGiven(value, shape, place)
  else checkShape(value, shape, place)
}

/** Null is as good as nothing, but in a list. */
function checkShape(node: JsonNode, shape: Shape, place: Place): void {
  if (node.kind !== 'null') checkGiven(node, shape, place)
}

function checkGiven(node: JsonNode, shape: Shape, place: Place): void {
  if (shape.is === 'anything') return
  if (shape.is === 'list') checkList(node, shape.of, place)
  else if (shape.is === 'object' || shape.is === 'map') checkObject(node, shape, place)
  else {
    const problem = plainProblem(plainOf(node), shape)
    if (problem !== undefined) wrong(node, place, problem)
  }
}

function checkList(node: JsonNode, of: Shape, place: Place): void {
  if (node.kind === 'list') {
    for (const [i, item] of node.items.entries()) checkGiven(item, of, { ...place, path: `${place.path}[${i}]` })
  } else {
    const inBrackets =
      node.kind === 'object' ? '[{...}]' : node.kind === 'null' ? '[...]' : `[${shownJson(plainOf(node))}]`
    wrong(node, place, `is not a list; write it in brackets, as ${inBrackets}`)
  }
}

function checkObject(node: JsonNode, shape: Extract<Shape, { is: 'object' | 'map' }>, place: Place): void {
  if (node.kind !== 'object') wrong(node, place, 'is not an object in braces')
  else if (shape.is === 'object') {
    checkKeys(node, { keys: shape.keys, of: lastWord(place.path) }, place)
    if (shape.needs !== undefined) checkNeeded(node, { ...shape.needs, keys: shape.keys }, place)
  } else
    for (const { key, value } of node.members) checkShape(value, shape.of, { ...place, path: below(place.path, key) })
}

function checkNeeded(
  node: ObjectNode,
  { key, example, keys }: Needed & { readonly keys: Keys },
  { findings, path }: Place,
): void {
  const { at, isExact } = nodeAt(node, key)
  if (isExact && node.members.some(({ value }) => value.at === at && value.kind !== 'null')) return
  // Of a key that was meant to be it, that has been said.
  if (node.members.some(({ key: written }) => written !== key && nearest(written, Object.keys(keys)) === key)) return
  const full = below(path, key)
  findings.refuse(at, full, `${full} is missing; write ${JSON.stringify(key)}: ${JSON.stringify(example)}, say`)
}

function wrong(node: JsonNode, { findings, path }: Place, problem: string): void {
  findings.refuse(node.at, path, `${path}: ${shownJson(plainOf(node))} ${problem}`)
}

/** `ipam.routes[0]` → `routes` */
function lastWord(path: string): string {
  return path
    .split('.')
    .at(-1)!
    .replace(/\[\d+\]/g, '')
}
