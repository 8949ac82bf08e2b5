// RFC 7386: a patch document and an object → the patched object. Nothing is changed in place.

export function mergePatched(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const result: Fields = isFields(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else define(result, key, Array.isArray(value) ? value : mergePatched(result[key], value))
  }
  return result
}

export type Fields = Record<string, unknown>

/** Sets own properties only: a document with a key `__proto__` must not change what every object is. */
export function define(target: Fields, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
