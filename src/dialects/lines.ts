// Lines → the input of a tool that carries them out one after another.

export function inputOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}

/** A hundred thousand lines take their time on a slow machine. */
export const PATIENCE_MS = 10 * 60_000
