import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { PassThrough, Readable } from 'node:stream'
import type { ExecOptions, ExecSession } from '#lab/api-server/streams/pod-streams.ts'
import type { Command } from '#system/ports.ts'
import { signalGroup } from '#system/processes/start-process.ts'
import { openTerminal } from './terminal.ts'

// The words of a command → one that runs with the streams of a client, with a terminal or with pipes.

export interface ExecStart extends Pick<ExecOptions, 'stdin' | 'tty'> {
  readonly argv: Command['argv']
  readonly env: Readonly<Record<string, string>>
}

export function startExec(start: ExecStart): ExecSession {
  return start.tty ? withTerminal(start) : withPipes(start)
}

function withPipes({ argv: [program, ...words], env, stdin }: ExecStart): ExecSession {
  const child = spawn(program, words, { env, detached: true, stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
  child.stdin?.on('error', () => {})
  return {
    stdin: child.stdin ?? new PassThrough().resume(),
    stdout: child.stdout!,
    stderr: child.stderr!,
    exit: exitOf(child),
    resize: () => {},
    kill: () => endGroup(child),
  }
}

function withTerminal({ argv, env }: ExecStart): ExecSession {
  const terminal = openTerminal()
  const { programEnd, input, output } = terminal
  const stdio = [programEnd, programEnd, programEnd]
  // The session is its own, and the terminal is that of the session: so Ctrl-C arrives.
  const child = spawn('setsid', ['--ctty', '--', ...argv], { env: { TERM: 'xterm', ...env }, stdio })
  terminal.started()
  const exit = exitOf(child)
  return {
    ...{ stdin: input, stdout: output, stderr: Readable.from([]), exit },
    resize: terminal.resize,
    kill: () => {
      endGroup(child)
      terminal.close()
    },
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
}

function endGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) signalGroup(pid, 'SIGKILL')
}
