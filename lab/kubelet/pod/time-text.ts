/** Milliseconds → RFC 3339 without fractions, as objects of the API have it. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
