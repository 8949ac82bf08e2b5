// An object and a key → what stands there. As for the reference plugin, a key that differs in case alone is that key.

export function valueAt(object: Readonly<Record<string, unknown>>, key: string): unknown {
  if (Object.hasOwn(object, key)) return object[key]
  const folded = key.toLowerCase()
  const alike = Object.keys(object).find(candidate => candidate.toLowerCase() === folded)
  return alike === undefined ? undefined : object[alike]
}
