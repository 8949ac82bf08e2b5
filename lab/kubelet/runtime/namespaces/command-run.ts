import { constants } from 'node:os'
import type { Clock, Command } from '#system/ports.ts'
import { exitStatus, signalGroup, startProcess } from '#system/processes/start-process.ts'
import type { ContainerLog } from '../../streams/container-log.ts'
import type { RunEnd } from '../pod-runtime.ts'

// The words of a command → a process of its own that runs until it ends or is killed, and writes into a log.

export interface NamespaceRun {
  readonly ended: Promise<RunEnd>
  terminate(): void
  kill(): void
}

export interface CommandRunParts {
  readonly env: Readonly<Record<string, string>>
  readonly log: ContainerLog
  readonly clock: Clock
}

/** What it has written is read to the end by then. */
const LAST_OUTPUT_MS = 200

/** A shell that did not find the program, or may not execute it. */
const START_ERRORS: readonly number[] = [126, 127]

export function runCommand(argv: Command['argv'], { env, log, clock }: CommandRunParts): NamespaceRun {
  const { pid, stdout, stderr, exited, ended } = startProcess({ argv, env, stdin: 'none' })
  let said = ''
  stdout.on('data', (bytes: Buffer) => log.write('stdout', bytes))
  stderr.on('data', (bytes: Buffer) => {
    log.write('stderr', bytes)
    said = `${said}${bytes}`.slice(-LAST_SAID)
  })
  const signal = (name: NodeJS.Signals): void => {
    try {
      if (pid !== undefined) process.kill(pid, name)
    } catch {
      // It has ended.
    }
  }
  // What it has started ends with it, as in a container; a process that has left its group may still hold its output open.
  void exited.then(async () => {
    if (pid !== undefined) signalGroup(pid, 'SIGKILL')
    await clock.sleep(LAST_OUTPUT_MS)
    stdout.destroy()
    stderr.destroy()
  })
  return {
    ended: ended.then(end => {
      log.end()
      if (end.error !== undefined) return { exitCode: 128, startError: end.error.message }
      const exitCode = exitStatus(end)
      const startError = START_ERRORS.includes(exitCode) ? said.trim().split('\n').at(-1)! : ''
      return {
        exitCode,
        ...(end.signal !== undefined && { signal: constants.signals[end.signal] }),
        ...(startError !== '' && { startError }),
      }
    }),
    terminate: () => signal('SIGTERM'),
    kill: () => {
      if (pid !== undefined) signalGroup(pid, 'SIGKILL')
    },
  }
}

const LAST_SAID = 512
