import { anyCommand } from '#lab/any-command.ts'
import type { Entry, Mode, Plan } from '#proxy/modes/mode.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'
import { ruleset, textsOf, unitText } from '../../../support/units.ts'
import { traced } from './trace.ts'
import { clusterIPUnit, frontendUnit, NODE_UNIT, type PaperFrontend, type PaperNodeText } from './units.ts'

// A fifth mode, which writes JSON: a unit is a frontend, its text says who comes in and where they go. Nothing outside of this
// folder knows it.

export const paperMode: Mode = {
  name: 'paper',
  needs: {},
  base: ({ localPods, nodePortAddresses, masquerade }) => {
    const about: PaperNodeText = { ...(localPods && { localPods }), nodePortAddresses, masquerade }
    return [{ unit: NODE_UNIT, text: JSON.stringify(about) }]
  },
  service: ({ protocol, frontends, pools: { cluster, local }, gate, stickySeconds }) => {
    const texts = { cluster: cluster.map(({ text }) => text), local: local.map(({ text }) => text) }
    const rest = { pools: texts, ...(gate && { gate }), ...(stickySeconds !== undefined && { stickySeconds }) }
    return frontends.flatMap(({ ip, port, ...frontend }): readonly Entry[] => [
      {
        unit: frontendUnit(protocol, ip, port),
        text: JSON.stringify({ ...frontend, ...rest } satisfies PaperFrontend),
      },
      ...(frontend.kind === 'cluster-ip' ? [{ unit: clusterIPUnit(ip!), text: '', shared: true } as const] : []),
    ])
  },
  portions: plan => [plan],
  write: plan => (plan.add.size + plan.change.size + plan.remove.size === 0 ? [] : [writing(plan)]),
  read: async kernel => ruleset(JSON.parse((await kernel.run(LOOK)).stdout)),
  trace: traced,
}

const LOOK: Command = { ...anyCommand(['paper', 'list']), does: 'look' }

/** null: the unit goes. */
function writing({ add, change, remove }: Plan): Command {
  const texts = [...textsOf(add), ...textsOf(change), ...[...remove].map(unit => [unitText(unit), null] as const)]
  return anyCommand(['paper', 'write'], { input: JSON.stringify(Object.fromEntries(texts)) })
}

/** The kernel that this mode writes to: a sheet of paper. */
export function sheet(): Kernel {
  const units = new Map<string, string>()
  const answer = (stdout: string): Outcome => ({ code: 0, stdout, stderr: '' })
  return {
    run: async ({ argv, input }) => {
      if (argv[1] === 'list') return answer(JSON.stringify(Object.fromEntries(units)))
      for (const [unit, text] of Object.entries(JSON.parse(input!) as Record<string, string | null>)) {
        if (text === null) units.delete(unit)
        else units.set(unit, text)
      }
      return answer('')
    },
  }
}
