import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'

// A free port, a port that is taken, and one HTTP request.

export const HAS_IPV6 = Object.values(networkInterfaces())
  .flat()
  .some(it => it?.address === '::1')

export interface HttpReply {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

export async function ask(port: number, path: string, host = '127.0.0.1'): Promise<HttpReply> {
  const response = await fetch(`http://${host}:${port}${path}`, { headers: { connection: 'close' } })
  return { status: response.status, headers: response.headers, body: await response.text() }
}

/** A port that was free a moment ago, in both families. */
export async function freePort(): Promise<number> {
  const occupied = await occupyPort({ port: 0 })
  await occupied.release()
  return occupied.port
}

export interface OccupiedPort {
  readonly port: number
  release(): Promise<void>
}

export async function occupyPort(at: { readonly port: number; readonly host?: string }): Promise<OccupiedPort> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, resolve)
  })
  const { port } = server.address() as { port: number }
  return { port, release: () => new Promise(resolve => server.close(() => resolve())) }
}
