import { expect } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { Program } from './program.ts'

// The program beside an API server, both until the end of the test.

interface Served {
  readonly program: Program
  readonly server: ApiServer
  /** Runs it with ports that no other program has; `stop` also checks that it ends as it should. */
  readonly start: (...argv: readonly string[]) => { readonly pid: number; stop(): Promise<void> }
}

export async function served(act: (parts: Served) => Promise<void>): Promise<void> {
  const program = new Program()
  const server = await startApiServer()
  const running: ReturnType<Program['start']>[] = []
  const start: Served['start'] = (...argv) => {
    const run = program.start('--healthz-bind-address=', '--metrics-bind-address=', ...argv)
    running.push(run)
    const stop = async (): Promise<void> => {
      run.stop()
      expect(await run.ended).toMatchObject({ code: 0 })
    }
    return { pid: run.pid, stop }
  }
  try {
    await act({ program, server, start })
  } finally {
    for (const { stop } of running) stop()
    await Promise.all(running.map(({ ended }) => ended))
    await server.close()
    program.remove()
  }
}
