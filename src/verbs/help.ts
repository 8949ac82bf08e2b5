import { failureOf, start } from '#command-line/start.ts'
import { helpText } from '#config/shown/help.ts'
import { isVerb, notAVerb } from '#config/verbs.ts'
import { complain, print } from '#system/output.ts'

// help, help VERB: the same text as --help.

export function main(argv: readonly string[]): Promise<number> {
  return start('help', argv, async ({ operands: [word = 'run'] }) => {
    if (isVerb(word)) {
      print(helpText(word))
      return 0
    }
    complain(`Error: ${notAVerb(word)}`)
    return failureOf('help')
  })
}
