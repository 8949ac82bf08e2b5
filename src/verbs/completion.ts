import { failureOf, start } from '#command-line/start.ts'
import { oneOf } from '#config/one-of.ts'
import { completion } from '#config/shown/completion.ts'
import { completionScript, isShell, SHELLS } from '#config/shown/completion-scripts.ts'
import { complain, print } from '#system/output.ts'

// completion SHELL: the script for that shell, which asks `completion words WORD …` at each press of the tab key.

export function main(argv: readonly string[]): Promise<number> {
  // What is typed may be any flag, finished or not, so it is not read as flags here.
  if (argv[0] === 'words') return Promise.resolve(answer(argv.slice(1)))
  return start('completion', argv, async ({ operands: [shell = ''] }) => {
    if (isShell(shell)) {
      print(completionScript(shell))
      return 0
    }
    complain(`Error: completion: no script for the shell ${JSON.stringify(shell)}; it must be ${oneOf(SHELLS)}`)
    return failureOf('completion')
  })
}

function answer(typed: readonly string[]): number {
  const { candidates, files } = completion(typed)
  for (const { word, does } of candidates) print(`${word}\t${does}`)
  if (files) print(':files')
  return 0
}
