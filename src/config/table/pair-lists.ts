// The two settings that are maps: `Gate=true` for feature gates, `file=N` for vmodule ⇄ text and file.

type Pairs = readonly string[]

export function gatesFromText(text: string): Pairs | undefined {
  return each(splitPairs(text), ([name, word]) => {
    const on = /^(1|t|true)$/i.test(word)
    return name !== '' && (on || /^(0|f|false)$/i.test(word)) ? `${name}=${on}` : undefined
  })
}

export function gatesFromFile(plain: unknown): Pairs | undefined {
  if (!isMap(plain)) return undefined
  return each(Object.entries(plain), ([name, on]) => (typeof on === 'boolean' ? `${name}=${on}` : undefined))
}

export function gatesToFile(pairs: Pairs): unknown {
  return Object.fromEntries(gateMap(pairs))
}

/** Of a gate that is named twice the later word counts. */
export function gateMap(pairs: Pairs): ReadonlyMap<string, boolean> {
  return new Map(pairs.map(pair => [pair.slice(0, pair.lastIndexOf('=')), pair.endsWith('=true')]))
}

export function vmoduleFromText(text: string): Pairs | undefined {
  return each(splitPairs(text), ([pattern, level]) =>
    pattern !== '' && /^\d{1,9}$/.test(level) ? `${pattern}=${Number(level)}` : undefined,
  )
}

export function vmoduleFromFile(plain: unknown): Pairs | undefined {
  if (!Array.isArray(plain)) return undefined
  return each(plain, item => {
    if (!isMap(item)) return undefined
    const { filePattern, verbosity } = item
    const sound = typeof filePattern === 'string' && /^[^=,]+$/.test(filePattern)
    return sound && Number.isInteger(verbosity) && Number(verbosity) >= 0 ? `${filePattern}=${verbosity}` : undefined
  })
}

export function vmoduleToFile(pairs: Pairs): unknown {
  return vmoduleList(pairs).map(({ pattern, verbosity }) => ({ filePattern: pattern, verbosity }))
}

export function vmoduleList(pairs: Pairs): readonly { readonly pattern: string; readonly verbosity: number }[] {
  return pairs.map(pair => {
    const at = pair.lastIndexOf('=')
    return { pattern: pair.slice(0, at), verbosity: Number(pair.slice(at + 1)) }
  })
}

function splitPairs(text: string): readonly (readonly [string, string])[] {
  const parts = text.split(',').map(part => part.trim())
  return parts
    .filter(part => part !== '')
    .map(part => {
      // As in Go, a name ends at the first sign: a file could not hold one with a sign in it.
      const at = part.indexOf('=')
      return at < 0 ? (['', part] as const) : ([part.slice(0, at).trim(), part.slice(at + 1).trim()] as const)
    })
}

/** All of them, or nothing where one is not sound. */
function each<Item>(items: readonly Item[], read: (item: Item) => string | undefined): Pairs | undefined {
  const pairs = items.map(read)
  return pairs.every(pair => pair !== undefined) ? pairs : undefined
}

function isMap(plain: unknown): plain is Readonly<Record<string, unknown>> {
  return typeof plain === 'object' && plain !== null && !Array.isArray(plain)
}
