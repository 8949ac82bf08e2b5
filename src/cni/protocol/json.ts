// Text that should be JSON → a value, or why not; a value → a few letters of it for a message.

export type JsonRead = { readonly ok: true; readonly json: unknown } | { readonly ok: false; readonly why: string }

export function readJson(text: string): JsonRead {
  try {
    return { ok: true, json: JSON.parse(text) }
  } catch (error) {
    return { ok: false, why: (error as Error).message }
  }
}

/** As plugins print it: four spaces, and no newline at the end. */
export function printedJson(value: unknown): string {
  return JSON.stringify(value, undefined, 4)
}

export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const SHOWN_CHARACTERS = 120

/** Any value on one short line, with nothing in it that could look like another line. */
export function shownJson(value: unknown): string {
  // JSON has a number such as 1e999, and no word for what it is read as.
  const written = typeof value === 'number' ? String(value) : JSON.stringify(value)
  const text = (written ?? 'nothing').replace(
    /[^\x20-\x7e]/g,
    letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`
}
