import { parseDuration } from './duration.ts'

// Text → a moment: RFC 3339, or a duration for that long ago.

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/

/** Milliseconds since the epoch. Without a zone, a time would mean something else on each machine. */
export function parseMoment(text: string, now: number): number | undefined {
  if (RFC3339.test(text)) {
    const at = Date.parse(text.replace(' ', 'T').toUpperCase())
    return Number.isNaN(at) ? undefined : at
  }
  const ago = parseDuration(text)
  return ago === undefined || ago < 0 ? undefined : now - ago
}

/** `2026-11-29T07:00:00Z` */
export function shownMoment(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}
