import type { Command, Kernel, Outcome } from './ports.ts'

// "This command must succeed": the decision that turns an outcome into an exception.

/** Says what was run, what it answered, and shows the lines of the input around the one that was refused. */
export class CommandFailed extends Error {
  readonly command: Command
  readonly outcome: Outcome

  constructor(command: Command, outcome: Outcome) {
    super(`${command.argv[0]} exited with ${outcome.code}: ${firstLine(outcome.stderr) || 'it said nothing'}`)
    this.name = 'CommandFailed'
    this.command = command
    this.outcome = outcome
  }

  /** The number of the input line that was refused, where the program names one. */
  get line(): number | undefined {
    const line = Number(
      /line:? (\d+)/i.exec(this.outcome.stderr)?.[1] ?? /^\S+:(\d+):\d+/m.exec(this.outcome.stderr)?.[1],
    )
    return line > 0 ? line : undefined
  }

  /** The refused input line with `lines` lines before and after it, each as `:NUMBER text`; empty where none is named. */
  near(lines = 3): readonly string[] {
    const refused = this.line
    if (refused === undefined || this.command.input === undefined) return []
    const first = Math.max(1, refused - lines)
    return this.command.input
      .split('\n')
      .slice(first - 1, refused + lines)
      .map((text, i) => `:${first + i} ${text}`)
  }
}

export async function must(kernel: Kernel, command: Command): Promise<Outcome> {
  const outcome = await kernel.run(command)
  const complained = command.stderr === 'means-failure' && outcome.stderr.trim() !== ''
  if (outcome.code !== 0 || complained) throw new CommandFailed(command, outcome)
  return outcome
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]!.trim()
}
