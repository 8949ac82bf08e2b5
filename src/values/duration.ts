// Go duration text (`1h30m`, `250ms`) ⇄ milliseconds.

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y
/** Go counts nanoseconds in 64 bits, of which one is the sign. */
const LONGEST_MS = 2 ** 63 / 1e6

/** Milliseconds, or nothing where Go's time.ParseDuration would refuse the text. */
export function parseDuration(text: string): number | undefined {
  const body = text.replace(/^[+-]/, '')
  if (body === '0') return 0
  if (body === '') return undefined
  let total = 0
  PART.lastIndex = 0
  while (PART.lastIndex < body.length) {
    const match = PART.exec(body)
    if (match === null) return undefined
    total += Number(match[1]) * UNIT_MS[match[2]!]!
  }
  if (total > LONGEST_MS) return undefined
  return text.startsWith('-') ? 0 - total : total
}

/** As Go prints a duration, of whole nanoseconds: `1h0m0s`, `30s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(duration: number): string {
  const ms = Math.round(duration * 1e6) / 1e6
  if (ms === 0) return '0s'
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms < 1e-3) return `${trim(ms * 1e6)}ns`
  if (ms < 1) return `${trim(ms * 1e3)}µs`
  if (ms < 1000) return `${trim(ms)}ms`
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor(ms / 60_000) % 60
  const seconds = `${trim((ms % 60_000) / 1000)}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}

/** A measured duration for people: three significant digits (`147ms`, `1.23s`), from a minute on seconds (`2m13s`). */
export function roundedDuration(ms: number): string {
  return formatDuration(Math.abs(ms) < 60_000 ? Number(ms.toPrecision(3)) : Math.round(ms / 1000) * 1000)
}

function trim(value: number): string {
  return String(Number(value.toFixed(9)))
}
