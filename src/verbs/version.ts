import { start } from '#command-line/start.ts'

// version: the same line as --version.

export function main(argv: readonly string[]): Promise<number> {
  return start('version', argv, async () => 0)
}
