import { createSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'
import type { PortRange } from '#values/port-range.ts'
import type { Spot } from './messages.ts'

// A protocol and an address → a port that is free there. Listeners share their port, and two programs of one user may share
// one without knowing of each other; so it is asked for here by somebody who shares with nobody.

export type PortQuestion = Pick<Spot, 'protocol' | 'host'> & {
  readonly range: PortRange | 'any'
  /** Whether a port is ours already, or not to be had for another reason. */
  readonly isTaken: (port: number) => boolean
  /** To be taken if it is free. */
  readonly first: number | undefined
}

const TRIES = 16

/** Undefined where none is left. */
export async function freePort({ range, isTaken, first, ...place }: PortQuestion): Promise<number | undefined> {
  const same = first === undefined ? undefined : await firstFree(place, [first], isTaken)
  if (same !== undefined) return same
  if (range !== 'any') return firstFree(place, candidates(range, isTaken), isTaken)
  return firstFree(place, Array<number>(TRIES).fill(0), isTaken)
}

/** From somewhere in the range to its end, and from its beginning on. */
function candidates({ first, last }: PortRange, isTaken: PortQuestion['isTaken']): readonly number[] {
  const ports = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(port => !isTaken(port))
  const start = Math.floor(Math.random() * ports.length)
  return [...ports.slice(start), ...ports.slice(0, start)]
}

type Place = Pick<PortQuestion, 'protocol' | 'host'>

async function firstFree(
  place: Place,
  ports: readonly number[],
  isTaken: PortQuestion['isTaken'],
): Promise<number | undefined> {
  for (const port of ports) {
    const found = await (place.protocol === 'tcp' ? tryTcp(place.host, port) : tryUdp(place.host, port))
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
