import type { Mode, Plan } from '#proxy/modes/mode.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { Done } from './done.ts'

// A plan → the commands of a mode, run one after another, and what they came to. Throws where one fails: those before it stand.

export async function carryOut(plan: Plan, mode: Mode, kernel: Kernel): Promise<Pick<Done, 'commands' | 'bytes'>> {
  let [commands, bytes] = [0, 0]
  for (const portion of mode.portions(plan)) {
    for (const command of mode.write(portion)) {
      await must(kernel, command)
      commands++
      bytes += command.input?.length ?? 0
    }
  }
  return { commands, bytes }
}
