import { constants } from 'node:os'
import { Readable, type Writable } from 'node:stream'
import { execa } from 'execa'
import type { Command } from '#system/ports.ts'

// The one place where a program becomes a process: through execa, which reports how each ended, never by an exception.

export interface ProcessOptions {
  readonly argv: Command['argv']
  /** All variables the program gets; those of this process where absent. */
  readonly env?: Readonly<Record<string, string>>
  readonly stdin: 'none' | 'pipe'
}

export interface Process {
  /** Absent where the program could not be started; `ended` then says why. It is the number of the process group, too. */
  readonly pid: number | undefined
  /** Null where it was started with none. An error, such as EPIPE, shows in how the process ended instead. */
  readonly stdin: Writable | null
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves when the process has ended, while programs it started may still hold its output open. Never, if it did not start. */
  readonly exited: Promise<void>
  /** Resolves when it has ended and its output is closed. */
  readonly ended: Promise<ProcessEnd>
}

export interface ProcessEnd {
  readonly exitCode?: number | undefined
  readonly signal?: NodeJS.Signals | undefined
  /** Why it could not be started. */
  readonly error?: NodeJS.ErrnoException | undefined
}

/**
 * The process leads a group of its own, so that a signal to the group reaches what it has started, too. Of execa only the
 * start and the end are used: its own `input` and `buffer` would copy documents and listings, which may be 80 MB each.
 */
export function startProcess({ argv: [program, ...words], env, stdin }: ProcessOptions): Process {
  try {
    const child = execa(program, words, {
      stdin: stdin === 'none' ? 'ignore' : 'pipe',
      ...(env !== undefined && { env: { ...env }, extendEnv: false }),
      buffer: false,
      reject: false,
      detached: true,
      cleanup: false,
    })
    child.stdin?.on('error', () => {})
    const exited = new Promise<void>(resolve => child.nodeChildProcess.once('exit', () => resolve()))
    const ended = child.then(({ exitCode, signal, cause }) => {
      const error = exitCode === undefined && signal === undefined ? (cause as NodeJS.ErrnoException) : undefined
      return { exitCode, signal, error }
    })
    return { pid: child.pid, stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, exited, ended }
  } catch (error) {
    return unstartable(error as Error)
  }
}

/** For words that no program can be given, such as one with a zero byte. */
function unstartable(error: Error): Process {
  const never = new Promise<void>(() => {})
  return {
    ...{ pid: undefined, stdin: null, exited: never, ended: Promise.resolve({ error }) },
    ...{ stdout: Readable.from([]), stderr: Readable.from([]) },
  }
}

/** As a shell says it: 128 and the signal's number where a signal ended it. */
export function exitStatus({ exitCode, signal }: ProcessEnd): number {
  return exitCode ?? 128 + (signal === undefined ? 0 : constants.signals[signal])
}

export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // ESRCH: no process of the group is left, which is what was wanted.
  }
}
