import { readFileSync } from 'node:fs'
import { type Follow, NOT_FOUND } from '#system/ports.ts'
import { eachLine } from './lines.ts'
import { exitStatus, type Process, signalGroup, startProcess } from './start-process.ts'

// A program that runs until it is stopped → lines in, lines out, and one way to end it with everything it started.

export interface ChildOptions {
  readonly argv: readonly [string, ...string[]]
  /** Called with each line of its stdout. */
  readonly onLine: (line: string) => void
}

export interface Child {
  /** Absent where the program could not be started; `ended` then says why. */
  readonly pid: number | undefined
  /** A line for its stdin; lines for a program that has ended are lost, and `ended` resolves. */
  writeLine(line: string): void
  /** Resolves when it and its process group are gone, for whatever reason; never rejects. */
  readonly ended: Promise<ChildEnd>
  /** Sends SIGTERM to the group, SIGKILL after the grace time, and resolves as `ended` does. */
  stop(graceMs?: number): Promise<ChildEnd>
}

export interface ChildEnd {
  /** The exit status; NOT_FOUND where it could not be started, 128 + the signal's number where a signal ended it. */
  readonly code: number
  /** The last of what it wrote to stderr. */
  readonly stderr: string
}

const STDERR_KEPT = 4096

/** By process group. */
const running = new Set<number>()

/** The child leads a process group of its own, so a Ctrl-C is ours to pass on, and ending it ends what it started. */
export function startChild({ argv, onLine }: ChildOptions): Child {
  const child = startProcess({ argv, stdin: 'pipe' })
  const { pid, stdin, stdout } = child
  eachLine(stdout, onLine)
  const ended = endOf(child)
  if (pid !== undefined) endWithUs(pid, ended)
  return {
    pid,
    writeLine: line => void stdin?.write(`${line}\n`),
    ended,
    stop: (graceMs = 2000) => {
      // The number of one that has ended may be that of another program's group by now.
      if (pid === undefined || !running.has(pid)) return ended
      signalGroup(pid, 'SIGTERM')
      const insist = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs)
      return ended.finally(() => clearTimeout(insist))
    },
  }
}

/** The same as a port: for programs that are only listened to. */
export const follow: Follow = (argv, onLine) => startChild({ argv, onLine })

/** Whether a process with this number runs, whatever user owns it. A zombie counts as dead. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // `4711 (a name, which may hold a bracket) S …`
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

async function endOf({ pid, stderr, exited, ended }: Process): Promise<ChildEnd> {
  let last = ''
  stderr.setEncoding('utf8').on('data', (text: string) => {
    last = (last + text).slice(-STDERR_KEPT)
  })
  // What the leader left behind would hold its pipes open, and `ended` would never resolve.
  if (pid !== undefined) void exited.then(() => signalGroup(pid, 'SIGKILL'))
  const end = await ended
  if (end.error !== undefined) return { code: NOT_FOUND, stderr: end.error.message }
  return { code: exitStatus(end), stderr: last }
}

/** A process group of its own survives our exit, so every one that still runs is killed then. */
function endWithUs(group: number, ended: Promise<unknown>): void {
  if (running.size === 0) process.on('exit', endAll)
  running.add(group)
  void ended.then(() => {
    running.delete(group)
    if (running.size === 0) process.off('exit', endAll)
  })
}

function endAll(): void {
  for (const group of running) signalGroup(group, 'SIGKILL')
}
