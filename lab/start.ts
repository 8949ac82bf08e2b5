import { type Invocation, start } from '#command-line/start.ts'
import { errorLine } from '#command-line/terminal-log.ts'
import { systemClock } from '#system/clock.ts'
import { environment, leave } from '#system/host.ts'
import { complain, outputKind, print } from '#system/output.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { readSessionFlags } from './cluster/session/flags.ts'
import { helpText, usageText } from './cluster/session/help.ts'
import { ownRights, runtimeProblem, startAgainInside } from './cluster/session/user-namespace.ts'
import { writeOut } from './cluster/terminal/standard-output.ts'
import { Terminal } from './cluster/terminal/terminal.ts'
import type { Mode } from './cluster/tour/rules.ts'

// npm start: the lab's own flags, and then those of `switchyard run` for the agents in it. What is wrong with them is said before
// anything is made.

const began = systemClock.now() - performance.now()
const argv = process.argv.slice(2)
if (argv.includes('--help') || argv.includes('-h')) {
  print(helpText())
  leave(0)
}
const { options, rest, problems } = readSessionFlags(argv)
for (const problem of problems) complain(`Error: ${problem}`)
if (problems.length > 0) leave(1)
const kernel = hostKernel()
leave(await start('run', rest, withSettings, { usage: usageText() }))

async function withSettings({ settings: { mode } }: Invocation): Promise<number> {
  try {
    return await session(mode)
  } catch (error) {
    // A person reads it here, and no program that knows klog.
    complain(errorLine('', error))
    return 1
  }
}

async function session(mode: Mode): Promise<number> {
  const rights = ownRights()
  const problem = runtimeProblem(rights, options.runtime)
  if (problem !== undefined) throw new Error(problem)
  if (rights === 'user' || rights === 'root of a user namespace') return startAgainInside(rights, kernel)
  const terminal = new Terminal({
    write: writeOut,
    kind: outputKind(),
    width: () => process.stdout.columns ?? Number.POSITIVE_INFINITY,
    env: environment(),
    output: options.output,
  })
  const { runSession } = await import('./cluster/session/session.ts')
  const install = rights === 'inside' ? 'never' : options.install
  const parts = { options: { ...options, install }, flags: rest, mode, terminal, kernel, clock: systemClock, began }
  return runSession(parts)
}
