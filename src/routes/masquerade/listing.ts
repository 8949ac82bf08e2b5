import { CommandFailed } from '#system/must.ts'
import { type Command, type Kernel, type Outcome, TIMED_OUT } from '#system/ports.ts'

// A look at rules → what the program printed. Only an answer can say that there are none: what is not there is removed, or
// written anew, and on a node that is busy pods would be cut off meanwhile.

/** Undefined where what is looked at is not there, or no such program. Fails where it did not answer. */
export async function listing(kernel: Kernel, command: Command): Promise<string | undefined> {
  const outcome = await kernel.run(command)
  if (isUnanswered(outcome)) throw new CommandFailed(command, outcome)
  return outcome.code === 0 ? outcome.stdout : undefined
}

/** iptables: another program holds the lock, or the rules were changed while it read them. */
const BUSY = /holding the xtables lock|temporarily unavailable|Interrupted system call/

export function isUnanswered({ code, stderr }: Outcome): boolean {
  return code === TIMED_OUT || (code !== 0 && BUSY.test(stderr))
}
