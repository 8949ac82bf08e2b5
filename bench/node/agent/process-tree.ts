import { readdirSync, readFileSync } from 'node:fs'

// A process → it and all it has started, with their memory and their time, from /proc.

export interface ProcessMemory {
  readonly pid: number
  readonly name: string
  readonly kiB: number
}

const MS_PER_TICK = 10

/** The process first. Empty once it has ended. */
export function treeOf(pid: number): readonly number[] {
  const tasks = listing(`/proc/${pid}/task`)
  const children = tasks.flatMap(task => (text(`/proc/${pid}/task/${task}/children`) ?? '').split(' ').filter(Boolean))
  return tasks.length === 0 ? [] : [pid, ...children.flatMap(child => treeOf(Number(child)))]
}

/**
 * RSS, and not PSS: that would leave parts of Node.js itself to other programs that happen to run on it beside. What children
 * share counts for each: their libraries, some 2 MiB. A child that has not yet become its program shares all pages of its
 * parent (vfork) and does not count; it is known by its parent's command line.
 */
export function memoryOf(tree: readonly number[]): readonly ProcessMemory[] {
  const seen = new Set<string>()
  return tree.flatMap(pid => {
    const commandLine = text(`/proc/${pid}/cmdline`) ?? ''
    if (seen.has(commandLine)) return []
    seen.add(commandLine)
    const status = text(`/proc/${pid}/status`) ?? ''
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]
    return resident === undefined ? [] : [{ pid, name: /^Name:\s+(.*)$/m.exec(status)![1]!, kiB: Number(resident) }]
  })
}

/** Processor time of all of them and of every child they have waited for. */
export function cpuMsOf(tree: readonly number[]): number {
  const ticks = tree.flatMap(pid => {
    const fields = text(`/proc/${pid}/stat`)?.split(') ')[1]?.split(' ') ?? []
    return fields.slice(11, 15).map(Number)
  })
  return ticks.reduce((sum, one) => sum + one, 0) * MS_PER_TICK
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // it has ended
  }
}

function listing(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
