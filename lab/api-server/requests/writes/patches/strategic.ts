import { Refused } from '../../answers.ts'
import { mergeRule } from '../../merging/merge-rules.ts'
import { define, type Fields, isFields } from './merge-patch.ts'

// A strategic merge patch, as kubectl sends it, and an object → the patched object. Lists of objects with a key are merged by it,
// and directives say what a merge cannot: `$patch`, `$retainKeys`, `$deleteFromPrimitiveList`, `$setElementOrder`.

export function strategicPatched(kind: string, target: unknown, patch: unknown): unknown {
  return isFields(patch) ? mergedFields(kind, target, patch, '') : patch
}

const DELETE_VALUES = '$deleteFromPrimitiveList/'
const SET_ORDER = '$setElementOrder/'

function mergedFields(kind: string, target: unknown, patch: Fields, field: string): Fields {
  const { $patch: directive, $retainKeys: retained, ...rest } = patch
  if (directive === 'delete') return {}
  checkDirective(directive)
  const live = directive === 'replace' || !isFields(target) ? {} : target
  const result = Array.isArray(retained) ? only(live, retained) : { ...live }
  for (const [key, value] of Object.entries(rest)) {
    if (key.startsWith('$')) continue
    if (value === null) delete result[key]
    else if (Array.isArray(value)) define(result, key, mergedList(kind, result[key], value, join(field, key)))
    else define(result, key, isFields(value) ? mergedFields(kind, result[key], value, join(field, key)) : value)
  }
  for (const [key, value] of Object.entries(rest)) {
    if (Array.isArray(value)) directed(kind, live, result, { key, values: value, field })
  }
  return result
}

/** In the order of the patch, which the items that it does not name stand between or behind. */
function mergedList(kind: string, target: unknown, value: readonly unknown[], field: string): unknown {
  const rule = mergeRule(kind, field)?.patch
  if (rule === undefined || rule.strategy === 'retainKeys') return value
  const before = Array.isArray(target) ? target : []
  const merged =
    rule.key === undefined
      ? [...new Set([...before, ...value])]
      : mergedItems(kind, before, value, { key: rule.key, field })
  return ordered(merged, { values: value, live: before, by: rule.key })
}

interface KeyedList {
  readonly key: string
  readonly field: string
}

function mergedItems(
  kind: string,
  before: readonly unknown[],
  patch: readonly unknown[],
  { key, field }: KeyedList,
): readonly unknown[] {
  if (!patch.every(isFields)) return patch
  const isReplaced = patch.some(item => item.$patch === 'replace' && item[key] === undefined)
  const result: unknown[] = isReplaced ? [] : [...before]
  for (const item of patch) {
    if (item.$patch === 'replace' && item[key] === undefined) continue
    if (item[key] === undefined) throw withoutKey(field, key)
    const at = result.findIndex(it => isFields(it) && it[key] === item[key])
    const place = at < 0 ? result.length : at
    if (item.$patch === 'delete') result.splice(place, 1)
    else result.splice(place, 1, mergedFields(kind, result[at], item, field))
  }
  return result
}

interface Directed {
  readonly key: string
  readonly values: readonly unknown[]
  readonly field: string
}

/** `$deleteFromPrimitiveList/finalizers` and `$setElementOrder/ports` speak of the field beside them. */
function directed(kind: string, live: Fields, result: Fields, { key, values, field }: Directed): void {
  if (key.startsWith(DELETE_VALUES)) {
    const name = key.slice(DELETE_VALUES.length)
    const list = result[name]
    if (Array.isArray(list))
      define(
        result,
        name,
        list.filter(it => !values.includes(it)),
      )
  } else if (key.startsWith(SET_ORDER)) {
    const name = key.slice(SET_ORDER.length)
    const list = result[name]
    const merged = mergeRule(kind, join(field, name))?.patch
    if (Array.isArray(list)) define(result, name, ordered(list, { values, live: live[name], by: merged?.key }))
  }
}

interface Order {
  readonly values: readonly unknown[]
  readonly live: unknown
  readonly by: string | undefined
}

/** What the patch orders comes in its order; the rest stays before what it was before, and comes behind what is new. */
function ordered(list: readonly unknown[], { values, live, by }: Order): readonly unknown[] {
  const nameOf = (item: unknown) => (by !== undefined && isFields(item) ? item[by] : item)
  const wanted = values.map(nameOf)
  const before = (Array.isArray(live) ? live : []).map(nameOf)
  const named = list.filter(item => wanted.includes(nameOf(item)))
  named.sort((a, b) => wanted.indexOf(nameOf(a)) - wanted.indexOf(nameOf(b)))
  const others = list.filter(item => !wanted.includes(nameOf(item)))
  const result: unknown[] = []
  for (const item of named) {
    const at = before.indexOf(nameOf(item))
    while (others.length > 0 && at >= 0 && before.indexOf(nameOf(others[0])) < at) result.push(others.shift())
    result.push(item)
  }
  return [...result, ...others]
}

function only(fields: Fields, keys: readonly unknown[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => keys.includes(key)))
}

function checkDirective(directive: unknown): void {
  if (directive === undefined || directive === 'replace' || directive === 'merge') return
  throw new Refused(400, `Unknown patch type found: ${String(directive)}`)
}

function withoutKey(field: string, key: string): Refused {
  return new Refused(400, `map: ${field} does not contain declared merge key: ${key}`)
}

function join(field: string, key: string): string {
  return field === '' ? key : `${field}.${key}`
}
