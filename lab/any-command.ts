import type { Command } from '#system/ports.ts'

/** A command of the lab, of a test or of a bench, which no metric counts by its purpose. */
export function anyCommand(argv: Command['argv'], more: Partial<Command> = {}): Command {
  return { does: 'other', argv, ...more }
}
