import { fileURLToPath } from 'node:url'
import type { Host } from '#lab/network/host.ts'
import { within } from '#lab/network/namespaces.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import type { Task } from './traffic-program.ts'

// A host of a lab and a task → the program that carries it out there, and what it prints.

const PROGRAM = fileURLToPath(new URL('./traffic-program.ts', import.meta.url))

export interface Program extends Pick<Child, 'pid' | 'writeLine' | 'stop'> {
  /** The next line it prints. Rejects where it ends without one. */
  next<T>(): Promise<T>
}

export type Traffic = Program

export function traffic(host: Pick<Host, 'namespace'>, task: Task): Traffic {
  return program(host, [PROGRAM, JSON.stringify(task)])
}

/** Any program of ours that prints lines of JSON. */
export function program({ namespace }: Pick<Host, 'namespace'>, argv: readonly string[]): Program {
  const lines: unknown[] = []
  let wake = (): void => {}
  let ending: string | undefined
  const child = startChild({
    argv: within(namespace, [process.execPath, ...argv]),
    onLine: line => {
      lines.push(JSON.parse(line))
      wake()
    },
  })
  void child.ended.then(({ code, stderr }) => {
    ending = `the program in ${namespace} ended with ${code}: ${stderr}`
    wake()
  })
  return {
    pid: child.pid,
    writeLine: line => child.writeLine(line),
    stop: () => child.stop(),
    async next<T>() {
      while (lines.length === 0) {
        if (ending !== undefined) throw new Error(ending)
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      return lines.shift() as T
    },
  }
}

/** Starts it, waits for its one line, and ends it. */
export async function once<T>(host: Pick<Host, 'namespace'>, task: Task): Promise<T> {
  const program = traffic(host, task)
  try {
    return await program.next<T>()
  } finally {
    await program.stop()
  }
}
