import { basename } from 'node:path'
import type { Command, Kernel } from '#system/ports.ts'
import type { RanCommand } from '#telemetry/numbers/tally.ts'
import { rulesWritten } from './rule-counts.ts'

// A kernel → the same kernel, and a call after every command it has run.

export function observedKernel(kernel: Kernel, now: () => number, onRan: (ran: RanCommand) => void): Kernel {
  return {
    async run(command) {
      const startedAt = now()
      const outcome = await kernel.run(command)
      onRan({ ...factsOf(command), tookMs: now() - startedAt, code: outcome.code })
      return outcome
    },
  }
}

function factsOf({ does, family, argv, program = argv[0], input = '' }: Command): Omit<RanCommand, 'tookMs' | 'code'> {
  const rules = does === 'restore' ? rulesWritten(input) : {}
  return { does, program: basename(program), rules, ...(family !== undefined && { family }) }
}
