import { type Invocation, start } from '#command-line/start.ts'
import { nearest } from '#config/table/nearest.ts'

// ranges COMMAND: which node has which range of the cluster's addresses. Each command is in a chunk of its own.

type Command = (invocation: Invocation) => Promise<number>

const shown = (command: 'table' | 'audit' | 'plan'): Command => {
  return async invocation => (await import('#ranges/overview/commands.ts')).showRanges(command, invocation)
}

const COMMANDS: Readonly<Record<string, Command>> = {
  audit: shown('audit'),
  plan: shown('plan'),
  controller: async invocation => (await import('#ranges/controller/controller.ts')).controlRanges(invocation),
}

export function main(argv: readonly string[]): Promise<number> {
  return start('ranges', argv, invocation => commandOf(invocation.operands[0] ?? '')(invocation))
}

function commandOf(word: string): Command {
  if (word === '') return shown('table')
  if (Object.hasOwn(COMMANDS, word)) return COMMANDS[word]!
  const names = Object.keys(COMMANDS)
  const meant = nearest(word, names)
  const hint = meant === undefined ? `must be ${names.join(', ')}` : `did you mean ${meant}?`
  throw new Error(`ranges: ${JSON.stringify(word)} is no command; ${hint}`)
}
