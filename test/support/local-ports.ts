import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'

// Free ports, a port that is taken, and one HTTP request.

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

/** Below the ports that a kernel gives to connections, and to servers that ask for any. */
const RANGE = { first: 11_000, last: 15_999 }

/** A port that no program has, of both protocols and families, and that no other test gets as long as this one's thread runs. */
export function freePort(): Promise<number> {
  return freePorts(1)
}

/** The first of so many in a row. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    const first = RANGE.first + Math.floor(Math.random() * (RANGE.last - RANGE.first + 2 - count))
    const ports = Array.from({ length: count }, (_, i) => first + i)
    if (await everyone(ports, claimed, isFree)) return first
  }
  throw new Error(`no ${count} ports from ${RANGE.first} to ${RANGE.last} are free`)
}

async function everyone(ports: readonly number[], ...checks: readonly ((port: number) => Promise<boolean>)[]) {
  for (const check of checks) for (const port of ports) if (!(await check(port))) return false
  return true
}

/** An abstract socket is the claim: one thread of one process has it, and the kernel closes it when that ends in whatever way. */
async function claimed(port: number): Promise<boolean> {
  const claim = createServer().unref().listen(`\0switchyard-test-port-${port}`)
  return succeeds(once(claim, 'listening'))
}

/** Whether a program could have it just now, at every address of both families. */
export async function isFree(port: number): Promise<boolean> {
  const tcp = createServer().listen(port)
  if (!(await succeeds(once(tcp, 'listening')))) return false
  await new Promise(resolve => tcp.close(resolve))
  const udp = createSocket(HAS_IPV6 ? 'udp6' : 'udp4')
  const isBound = await succeeds(once(udp.bind(port), 'listening'))
  await new Promise<void>(resolve => udp.close(resolve))
  return isBound
}

function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  )
}

export interface OccupiedPort {
  readonly port: number
  release(): Promise<void>
}

/** Port 0: one that will be free when it is released. */
export async function occupyPort(at: { readonly port: number; readonly host?: string }): Promise<OccupiedPort> {
  const port = at.port === 0 ? await freePort() : at.port
  const server = createServer()
  await once(server.listen({ ...at, port }), 'listening')
  return { port, release: () => new Promise(resolve => server.close(() => resolve())) }
}
