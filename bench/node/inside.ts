import type { FigureName, Measured } from './figures.ts'
import { Stage } from './stage.ts'
import { STEPS } from './steps/steps.ts'
import type { StepName, Task } from './task.ts'

// Runs on the node of a lab. Prints each step's name and figures as a line of JSON when it is over.

export interface StepDone {
  readonly step: StepName
  readonly measured: Measured
}

/** Without these nothing that comes after means anything. */
const NEEDED: readonly FigureName[] = ['firstConnectionMs', 'readyMs']

// It leads a process group: where the bench has ended without it, nothing of all this goes on.
process.stdin.once('end', () => process.kill(-process.pid, 'SIGTERM')).resume()
await run(JSON.parse(process.argv[2]!) as Task)
process.exit(0)

async function run(task: Task): Promise<void> {
  const stage = await Stage.open(task)
  try {
    for (const step of task.steps) {
      const measured = await STEPS[step](stage)
      process.stdout.write(`${JSON.stringify({ step, measured } satisfies StepDone)}\n`)
      if (NEEDED.some(name => measured[name]?.includes(null))) return
    }
  } finally {
    await stage.close()
  }
}
