import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Relay, type RelayOptions } from '#proxy/relay/relay.ts'
import type { RelayEvent } from '#proxy/relay/relay-events.ts'

// A relay on a loopback address that no other test uses, with endpoints behind it and clients before it.

export class Loopback {
  readonly events: RelayEvent[] = []
  readonly relay: Relay
  readonly host = `127.${1 + random(254)}.${random(256)}.${1 + random(254)}`
  lost = 0
  readonly #ends: (() => unknown)[] = []

  constructor(options: Partial<RelayOptions> = {}) {
    this.relay = new Relay({
      udpIdleMs: 250,
      report: event => this.events.push(event),
      lost: () => this.lost++,
      workers: 2,
      ...options,
    })
  }

  /** Opens it, or gives it another pool; returns its port. */
  async listener(name: string, pool: string): Promise<number> {
    await this.relay.open('ipv4', [{ name, pool: `${pool} at ${this.host}` }])
    const open = this.relay.list('ipv4').find(listener => listener.name === name)
    if (open === undefined) throw new Error(`${name} is not open: ${JSON.stringify(this.events)}`)
    return open.port
  }

  /** An endpoint of TCP; returns it as a pool names it. */
  async endpoint(each: (socket: Socket) => void): Promise<string> {
    const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      socket.on('error', () => {})
      each(socket)
    })
    await once(server.listen(0, this.host), 'listening')
    this.#ends.push(() => server.close())
    return `${this.host}:${portOf(server)}`
  }

  /** An endpoint that says its name to every client, and hangs up. */
  namedEndpoint(name: string): Promise<string> {
    return this.endpoint(socket => socket.end(name))
  }

  async udpEndpoint(each: (message: Buffer, from: RemoteInfo, socket: UdpSocket) => void): Promise<string> {
    const socket = await this.udpSocket()
    socket.on('message', (message, from) => each(message, from, socket))
    return `${this.host}:${socket.address().port}`
  }

  async udpSocket(): Promise<UdpSocket> {
    const socket = createSocket('udp4')
    await once(socket.bind(0, this.host), 'listening')
    let open = true
    socket.once('close', () => {
      open = false
    })
    this.#ends.push(() => open && socket.close())
    return socket
  }

  async client(port: number, host = this.host): Promise<Socket> {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
    socket.on('error', () => {})
    this.#ends.push(() => socket.destroy())
    await once(socket, 'connect')
    return socket
  }

  /** The name of the endpoint that answers at the port; `reset` where the connection is reset, as soon as it is there or later. */
  async whoAnswers(port: number, host = this.host): Promise<string> {
    const socket = await this.client(port, host).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') return undefined
      throw error
    })
    if (socket === undefined) return 'reset'
    const answer = await everything(socket)
    socket.end()
    return answer instanceof Error ? 'reset' : answer.toString()
  }

  /** Sockets that are connected to this endpoint or listener, or from it, and have not been given up. */
  connected(protocol: 'tcp' | 'udp', port: number): number {
    const bytes = this.host.split('.').toReversed().map(Number)
    const address = `${bytes.map(byte => hex(byte, 2)).join('')}:${hex(port, 4)}`
    const lines = readFileSync(`/proc/self/net/${protocol}`, 'utf8').trim().split('\n').slice(1)
    return lines.filter(line => {
      const [, local, remote, state = ''] = line.trim().split(/\s+/)
      return (local === address || remote === address) && !GIVEN_UP.has(state)
    }).length
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0)) end()
    await this.relay.stop()
  }
}

/** All that comes until the other side has said everything; the error where it breaks off. */
export function everything(socket: Socket): Promise<Buffer | Error> {
  const pieces: Buffer[] = []
  return new Promise(resolve => {
    socket.on('data', piece => pieces.push(piece as Buffer))
    socket.once('end', () => resolve(Buffer.concat(pieces)))
    socket.once('error', resolve)
    socket.once('close', () => resolve(new Error('closed without an end')))
  })
}

export function portOf(server: Server): number {
  return (server.address() as { readonly port: number }).port
}

function random(below: number): number {
  return Math.floor(Math.random() * below)
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0')
}

/** In the kernel's numbers: waiting for late segments, listening, and a socket of UDP that is not connected. */
const GIVEN_UP = new Set(['06', '0A', '07'])

export function portIn(endpoint: string): number {
  return Number(endpoint.split(':').at(-1))
}

/** Resolves as soon as it holds; gives up with what it waited for. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 25_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${condition}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
