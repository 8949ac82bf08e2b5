import type { Measured } from '../figures.ts'
import type { Stage } from '../stage.ts'
import type { StepName } from '../task.ts'
import { changes, firstEndpoints } from './changes.ts'
import { audit, idle, peak } from './cost.ts'
import { flush, flushEarly, foreignRule } from './repair.ts'
import { restart, start } from './starts.ts'

// Everything that can be measured on one node, by name. A step finds the probed Service served, and leaves it so.

export const STEPS: Readonly<Record<StepName, (stage: Stage) => Promise<Measured>>> = {
  start,
  changes,
  firstEndpoints,
  peak,
  idle,
  foreignRule,
  flush,
  restart,
  flushEarly,
  audit,
}
