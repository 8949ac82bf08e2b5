import { createSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'
import type { PortRange } from '#values/port-range.ts'
import type { Binding } from './messages.ts'

// A protocol and an address → a port that is free there. Workers bind with SO_REUSEPORT, and the kernel would let another
// program of the same user share that port unnoticed; so a socket without that option tries it first.

export type FreePortOptions = Pick<Binding, 'protocol' | 'host'> & {
  readonly range: PortRange | 'any'
  /** True for a port that another listener of ours has, or that is reserved. */
  readonly isTaken: (port: number) => boolean
  /** Preferred, if it is free. */
  readonly first: number | undefined
}

const TRIES = 16

/** Undefined where none is left. */
export async function freePort({ range, isTaken, first, ...address }: FreePortOptions): Promise<number | undefined> {
  const same = first === undefined ? undefined : await firstFree(address, [first], isTaken)
  if (same !== undefined) return same
  if (range !== 'any') return firstFree(address, candidates(range, isTaken), isTaken)
  return firstFree(address, Array<number>(TRIES).fill(0), isTaken)
}

/** From somewhere in the range to its end, and from its beginning on. */
function candidates({ first, last }: PortRange, isTaken: FreePortOptions['isTaken']): readonly number[] {
  const ports = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(port => !isTaken(port))
  const start = Math.floor(Math.random() * ports.length)
  return [...ports.slice(start), ...ports.slice(0, start)]
}

type HostAddress = Pick<FreePortOptions, 'protocol' | 'host'>

async function firstFree(
  { protocol, host }: HostAddress,
  ports: readonly number[],
  isTaken: FreePortOptions['isTaken'],
): Promise<number | undefined> {
  for (const port of ports) {
    const found = await (protocol === 'tcp' ? tryTcp(host, port) : tryUdp(host, port))
    if (found !== undefined && !isTaken(found)) return found
  }
  return undefined
}

function tryTcp(host: string, port: number): Promise<number | undefined> {
  const server = createServer()
  return new Promise(resolve => {
    server.once('error', () => resolve(undefined))
    server.listen({ host, port, ipv6Only: isIPv6(host), backlog: 1 }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined))
    })
  })
}

function tryUdp(host: string, port: number): Promise<number | undefined> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', ipv6Only: isIPv6(host) })
  return new Promise(resolve => {
    socket.once('error', () => resolve(undefined))
    socket.bind({ address: host, port, exclusive: true }, () => {
      const { port: found } = socket.address()
      socket.close(() => resolve(found))
    })
  })
}
