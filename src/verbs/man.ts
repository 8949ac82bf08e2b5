import { start } from '#command-line/start.ts'
import { VERSION } from '#command-line/version.ts'
import { manualPage } from '#config/shown/manual.ts'
import { print } from '#system/output.ts'

// man: the manual page, for `man -l -` or a file in a folder of manual pages.

export function main(argv: readonly string[]): Promise<number> {
  return start('man', argv, async () => {
    print(manualPage(VERSION).trimEnd())
    return 0
  })
}
