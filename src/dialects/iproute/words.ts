import type { Command } from '#system/ports.ts'

// What the commands of iproute2 share: the namespace they run in, the JSON they print, and the words for what is on or off.

/** The same command inside a network namespace. `nsenter` becomes the program, so it is one process, not two. */
export function insideNamespace(path: string | undefined, command: Command): Command {
  if (path === undefined) return command
  return { ...command, program: command.argv[0], argv: ['nsenter', `--net=${path}`, ...command.argv] }
}

/** Does nothing but enter the namespace. */
export const ENTER: Command = { does: 'other', argv: ['ip', '-Version'] }

/** Nothing at all is printed where there is nothing to list; and an apostrophe gets a backslash that JSON does not know. */
export function jsonOf(stdout: string): readonly unknown[] {
  const mended = stdout.replace(/\\(.)/g, (whole, escaped: string) => (escaped === "'" ? "'" : whole))
  return mended.trim() === '' ? [] : JSON.parse(mended)
}

/** A word and its value, or nothing. */
export function valued(word: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [word, String(value)]
}
