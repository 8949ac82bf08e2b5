// Messages and values → the text klog writes; no text, however hostile, can end its line or begin another.

/** What stands beside a message; undefined leaves a pair out, so a condition can stand where its value would. */
export type Pairs = Readonly<Record<string, unknown>>

const PLAIN = /^[ !#-[\]-~]*$/
const PRINTABLE = /^[ -~]*$/
/** What Go does not print as it is: everything but letters, marks, digits, punctuation, symbols and the space. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu
const UNPRINTABLE_BUT_TAB = /[^\p{L}\p{M}\p{N}\p{P}\p{S} \t]/gu
const NAMED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** As Go's strconv.Quote. */
export function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  return `"${text.replace(/["\\]/g, '\\$&').replace(UNPRINTABLE, escaped)}"`
}

/** A sentence without quotes around it; only what does not print is escaped. */
export function sentenceText(text: string): string {
  return PRINTABLE.test(text) ? text : text.replace(UNPRINTABLE, escaped)
}

/** ` key="value" list=[1,2]`: a space before each pair. */
export function pairsText(pairs: Pairs): string {
  let text = ''
  for (const key in pairs) {
    const value = pairs[key]
    if (value !== undefined) text += ` ${sentenceText(key)}=${valueText(value)}`
  }
  return text
}

/** A string is quoted, or a block where it has several lines; what is no text is bare or JSON. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return stringText(value)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  const plain = plainValue(value)
  return typeof plain === 'string' ? stringText(plain) : jsonText(plain)
}

/** The value as pino shall write it. */
export function jsonValue(value: unknown): unknown {
  const plain = plainValue(value)
  return typeof plain === 'object' && plain !== null ? JSON.parse(jsonText(plain)) : plain
}

/** One line of JSON with the same meaning, in which everything can be seen; it keeps its end. */
export function printableJson(line: string): string {
  const end = line.endsWith('\n') ? line.length - 1 : line.length
  const text = line.slice(0, end)
  return PRINTABLE.test(text) ? line : text.replace(UNPRINTABLE, escapedInJson) + line.slice(end)
}

/** What JSON can hold. Errors, dates, URLs and bytes become strings; maps objects, sets lists. */
function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function' || typeof value === 'symbol') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return errorText(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof URL) return value.href
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), plainValue(item)]))
  return value instanceof Set ? [...value].map(plainValue) : value
}

/** The message of an error and of what caused it: "fetch failed" alone does not say what to mend. */
export function errorText(error: unknown, seen: ReadonlySet<unknown> = new Set()): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : jsonText(error)
  const own = error.message || (error as { readonly code?: unknown }).code?.toString() || error.name
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : [error.cause]
  const causes = inner
    .filter(cause => cause !== undefined && !seen.has(cause))
    .map(cause => errorText(cause, new Set([...seen, error])))
  return [own, ...new Set(causes.filter(text => !own.includes(text)))].join(': ')
}

function stringText(text: string): string {
  if (!text.includes('\n')) return quoted(text)
  const lines = text.replace(/\n$/, '').split('\n')
  // Every line begins with a tab, so none can pass for a log line of its own.
  return `<\n${lines.map(line => `\t${line.replace(UNPRINTABLE_BUT_TAB, escaped)}\n`).join('')} >`
}

function jsonText(value: unknown): string {
  try {
    return printableJson(JSON.stringify(value, (_, item: unknown) => plainValue(item)) ?? 'null')
  } catch (error) {
    // It refers to itself, or refuses to be read.
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : 'it cannot be read'
    return printableJson(JSON.stringify(`<not shown: ${reason}>`))
  }
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!
  if (NAMED[character] !== undefined) return NAMED[character]
  // Half of a surrogate pair is not a character: Go writes its replacement.
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd'
  if (code < 0x80) return `\\x${hex(code, 2)}`
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

function escapedInJson(character: string): string {
  return character.replace(/[\s\S]/g, unit => `\\u${hex(unit.charCodeAt(0), 4)}`)
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
