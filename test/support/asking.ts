import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type Log, openLog } from '#telemetry/log/klog.ts'

// A port nobody has, somebody who has one, one question over HTTP, and a log that can be read.

export const HAS_IPV6 = Object.values(networkInterfaces())
  .flat()
  .some(it => it?.address === '::1')

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

export async function ask(port: number, path: string, host = '127.0.0.1'): Promise<Answered> {
  const response = await fetch(`http://${host}:${port}${path}`, { headers: { connection: 'close' } })
  return { status: response.status, headers: response.headers, body: await response.text() }
}

/** A port that was free a moment ago, in both families. */
export async function freePort(): Promise<number> {
  const squatter = await squat({ port: 0 })
  await squatter.leave()
  return squatter.port
}

export interface Squatter {
  readonly port: number
  leave(): Promise<void>
}

export async function squat(at: { readonly port: number; readonly host?: string }): Promise<Squatter> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, resolve)
  })
  const { port } = server.address() as { port: number }
  return { port, leave: () => new Promise(resolve => server.close(() => resolve())) }
}

export interface Heard {
  readonly log: Log
  readonly lines: readonly string[]
}

/** Everything up to this verbosity, without the header of each line. */
export function listen(verbosity = 4): Heard {
  const lines: string[] = []
  const sink = { write: (line: string) => lines.push(line.slice(line.indexOf('] ') + 2).trimEnd()) }
  return { log: openLog({ format: 'text', verbosity, sink, clock: { now: () => 0 }, pid: 1 }), lines }
}
