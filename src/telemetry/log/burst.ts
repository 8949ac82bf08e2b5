// Many lines at once → the first ones, and one that counts the rest.

/** A cluster of thousands of Services must not push everything else out of the log; `what` reads on from "4900 more". */
export function burstLines(lines: readonly string[], what: string, limit = 100): readonly string[] {
  if (lines.length <= limit) return lines
  return [...lines.slice(0, limit), `… and ${lines.length - limit} more ${what}`]
}
