// A patch document and an object → the patched object. Nothing is changed in place.

/** RFC 7386. */
export function mergePatched(target: unknown, patch: unknown): unknown {
  return merged(target, patch, (_key, _before, list) => list)
}

/** As kubectl sends it: lists of objects with a key are merged by it. Of the directives, only `delete` is known. */
export function strategicPatched(target: unknown, patch: unknown): unknown {
  return merged(target, patch, (field, before, list) => {
    const key = Object.hasOwn(MERGE_KEYS, field) ? MERGE_KEYS[field]! : undefined
    if (key === undefined || !Array.isArray(before) || !list.every(isRecord)) return list
    const result: unknown[] = [...before]
    for (const item of list) {
      const at = result.findIndex(it => isRecord(it) && it[key] === item[key])
      const next = strategicPatched(at < 0 ? {} : result[at], item)
      if (item.$patch === 'delete') result.splice(at < 0 ? result.length : at, 1)
      else result.splice(at < 0 ? result.length : at, 1, next)
    }
    return result
  })
}

/** By which field the items of these lists are the same, in the types of the Kubernetes API. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  ports: 'port',
  taints: 'key',
  conditions: 'type',
  ownerReferences: 'uid',
}

type ListRule = (field: string, before: unknown, list: readonly unknown[]) => readonly unknown[]

function merged(target: unknown, patch: unknown, lists: ListRule): unknown {
  if (!isRecord(patch)) return patch
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue // a directive of strategic merge patches
    if (value === null) delete result[key]
    else define(result, key, Array.isArray(value) ? lists(key, result[key], value) : merged(result[key], value, lists))
  }
  return result
}

/** Sets own properties only: a document with a key `__proto__` must not change what every object is. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
