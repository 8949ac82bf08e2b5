import { basename } from 'node:path'
import { systemClock } from '#system/clock.ts'
import type { ContenderProcess } from '../agent/contender-process.ts'
import { reached } from '../client/probe.ts'
import { dayTime } from '../day-time.ts'
import type { Measured } from '../figures.ts'
import { GIVE_UP_MS, type Stage } from '../stage.ts'

// What the contender costs: memory until now, time while nothing happens, and both when it looks at the kernel once an hour.

const IDLE_MS = 30_000
const HOUR = new URL('../agent/hour.ts', import.meta.url)

/** Since the start, or since the last step that asked. */
export async function peak(stage: Stage): Promise<Measured> {
  const { kiB } = await stage.memory.phase()
  return { peakMiB: [kiB / 1024] }
}

/** What is still to be done of the changes before is not idle. */
export async function idle(stage: Stage): Promise<Measured> {
  const { process } = stage
  await calm(process)
  await stage.memory.phase()
  const standing = process.children
  const [before, from] = [process.cpuMs(), dayTime()]
  await systemClock.sleep(IDLE_MS)
  const idlePercent = ((process.cpuMs() - before) / (dayTime() - from)) * 100
  const { children } = await stage.memory.phase()
  return { idlePercent: [idlePercent], idleChildren: [children - standing] }
}

/** Only a program that Node.js runs can be made to believe that an hour has passed. */
export async function audit(stage: Stage): Promise<Measured> {
  if (!runsOnNode(stage.task.contender.argv)) return {}
  await stage.stop()
  const process = stage.start({ NODE_OPTIONS: `--import=${HOUR.href}` })
  await reached(stage.backend.name, GIVE_UP_MS)
  await calm(process)
  await stage.memory.phase()
  const [before, standing] = [process.cpuMs(), process.children]
  process.signal('SIGUSR2')
  await calm(process)
  const { kiB, children } = await stage.memory.phase()
  return {
    auditCpuMs: [process.cpuMs() - before],
    auditChildren: [children - standing],
    auditPeakMiB: [kiB / 1024],
  }
}

function runsOnNode([program = '', script = '']: readonly string[]): boolean {
  return [program, script].some(word => word.endsWith('.js')) || basename(program) === 'node'
}

/** Waits until it has taken no more than a clock tick in a second, with no more children than at the beginning of that. */
async function calm(process: ContenderProcess): Promise<void> {
  const end = dayTime() + GIVE_UP_MS
  for (let quietSeconds = 0; quietSeconds < 3 && dayTime() < end; ) {
    const [before, children] = [process.cpuMs(), process.children]
    await systemClock.sleep(1000)
    const isQuiet = process.cpuMs() - before <= 10 && process.children <= children
    quietSeconds = isQuiet ? quietSeconds + 1 : 0
  }
}
