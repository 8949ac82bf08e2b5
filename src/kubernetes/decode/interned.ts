// Names that are only compared → one string for all equal ones. Thousands of slices name the same few nodes and zones.

const MOST_TEXTS = 50_000
const PLAIN = /^[\w./:-]{1,317}$/
const texts = new Map<string, string>()

/** A node's name, a zone, the key of a taint; nothing where the text can be neither, so that all of it may be shown. */
export function interned(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  const known = texts.get(text)
  if (known !== undefined) return known
  if (!PLAIN.test(text)) return undefined
  // New names without end must not fill the memory; texts already handed out stay shared.
  if (texts.size >= MOST_TEXTS) texts.clear()
  texts.set(text, text)
  return text
}
