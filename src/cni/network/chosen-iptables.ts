import { familyOfPlain, spokenBy } from '#dialects/iptables.ts'
import { chooseTools, NoIptables, type ToolChoice } from '#dialects/iptables-choice.ts'
import { CommandFailed } from '#system/must.ts'
import { type Kernel, NOT_FOUND, type Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'

// A kernel whose plain iptables is that of our image → one where it is the variant of this host: rules of the other one would be
// in the kernel, too, and neither kube-proxy nor a person would find them.

export interface ChosenParts {
  /** What the choice asks of the host; answered without a process where that can be. */
  readonly ask: Kernel
  readonly chosen?: (family: Family, choice: ToolChoice) => void
}

/** Chosen when iptables is first needed, and once. A host without any may get one. */
export function chosenIptables(kernel: Kernel, { ask, chosen = () => {} }: ChosenParts): Kernel {
  const choices = new Map<Family, Promise<ToolChoice>>()
  const choose = async (family: Family): Promise<ToolChoice> => {
    try {
      const choice = await chooseTools(ask, family)
      chosen(family, choice)
      return choice
    } catch (error) {
      choices.delete(family)
      throw error
    }
  }
  return {
    async run(command) {
      const family = familyOfPlain(command.argv[0])
      if (family === undefined) return kernel.run(command)
      const choice = await choices.getOrInsertComputed(family, choose).catch(failureOf)
      return 'tools' in choice ? kernel.run(spokenBy(choice.tools, command)) : choice
    },
  }
}

/** As the program that is absent, or does not work, would have ended. */
function failureOf(error: unknown): Outcome {
  if (error instanceof NoIptables) return { code: NOT_FOUND, stdout: '', stderr: error.message }
  if (error instanceof CommandFailed) return error.outcome
  throw error
}
