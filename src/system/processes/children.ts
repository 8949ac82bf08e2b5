import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Follow, NOT_FOUND } from '#system/ports.ts'
import { eachLine } from './lines.ts'

// A program that stays → lines in, lines out, and one way to end it with everything it started.

export interface ChildStart {
  readonly argv: readonly [string, ...string[]]
  /** Called with each line of its stdout. */
  readonly onLine: (line: string) => void
}

export interface Child {
  /** Absent where the program could not be started; `ended` then says why. */
  readonly pid: number | undefined
  /** A line for its stdin; lines for a program that has ended are lost, and `ended` tells. */
  writeLine(line: string): void
  /** Resolves when it and its process group are gone, however that came; never rejects. */
  readonly ended: Promise<Ending>
  /** Asks it to end, insists after the grace time, and resolves as `ended` does. */
  stop(graceMs?: number): Promise<Ending>
}

export interface Ending {
  /** The exit status; NOT_FOUND where it could not be started, 128 + the signal's number where a signal ended it. */
  readonly code: number
  /** The last of what it wrote to stderr. */
  readonly stderr: string
}

const STDERR_KEPT = 4096
const SIGNAL_NUMBER: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

const running = new Set<ChildProcess>()

/** The child leads a process group of its own, so a Ctrl-C is ours to pass on, and ending it ends what it started. */
export function startChild({ argv: [program, ...words], onLine }: ChildStart): Child {
  const child = spawn(program, words, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  endWithUs(child)
  // A child that went away shows here as EPIPE; `ended` is where that is told.
  child.stdin.on('error', () => {})
  eachLine(child.stdout, onLine)
  const ended = ending(child)
  return {
    pid: child.pid,
    writeLine: line => void child.stdin.write(`${line}\n`),
    ended,
    stop: (graceMs = 2000) => {
      signalGroup(child, 'SIGTERM')
      const insist = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs)
      return ended.finally(() => clearTimeout(insist))
    },
  }
}

/** The same as a port: for programs that are only listened to. */
export const follow: Follow = (argv, onLine) => startChild({ argv, onLine })

/** Whether a process with this number runs, whoever owns it. One that has ended and was not yet buried does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // `4711 (a name, which may hold a bracket) S …`
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

function ending(child: ChildProcess): Promise<Ending> {
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT)
  })
  return new Promise(resolve => {
    child.once('error', error => resolve({ code: NOT_FOUND, stderr: error.message }))
    // What the leader left behind would hold its pipes open, and `close` would never come.
    child.once('exit', () => signalGroup(child, 'SIGKILL'))
    child.once('close', (code, signal) => resolve({ code: code ?? 128 + (SIGNAL_NUMBER[signal!] ?? 0), stderr }))
  })
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // ESRCH: nobody of the group is left, which is what was wanted.
  }
}

/** A group of its own survives our exit unless somebody ends it. */
function endWithUs(child: ChildProcess): void {
  if (running.size === 0) process.on('exit', endAll)
  running.add(child)
  const forget = () => {
    running.delete(child)
    if (running.size === 0) process.off('exit', endAll)
  }
  child.once('close', forget).once('error', forget)
}

function endAll(): void {
  for (const child of running) signalGroup(child, 'SIGKILL')
}
