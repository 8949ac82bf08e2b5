import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import { createServer, Server, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '#system/ports.ts'
import { inside } from '../runtime/namespaces/pod-namespace.ts'
import { answerLines, answerText, firstBytes, plainAddress } from './lines.ts'
import { pageAt, sendPage } from './pages.ts'
import { speaksHttp } from './sniffing.ts'

// A pod whose container has no command → listeners in its network namespace that answer with its name: HTTP to clients that speak
// it, a line to each line or datagram to all others. They are sockets of this process, so such a pod costs no process of its own.

export interface ProgramOptions {
  readonly netns: string
  readonly name: string
  /** The pod's. */
  readonly addresses: readonly string[]
  readonly ports: readonly ProgramPort[]
  readonly clock: Clock
  /** A line for its log. */
  readonly say: (line: string) => void
}

export interface ProgramPort {
  readonly protocol: 'TCP' | 'UDP'
  readonly port: number
}

/** After SIGTERM, clients may come for as long as rules of proxies still lead here: it ends when none has come for so long. */
const LINGER_MS = 2000

/** Longer than clients keep a connection that they do not use: none sends a request on one that is just being closed. */
const KEEP_ALIVE_MS = 120_000

export class Program {
  readonly #options: ProgramOptions
  readonly #http: HttpServer
  readonly #servers: Server[] = []
  readonly #datagrams: UdpSocket[] = []
  readonly #open = new Set<Socket>()
  /** When each came that may yet turn out to be a probe. */
  readonly #maybeProbes = new Map<Socket, number>()
  readonly #ended = Promise.withResolvers<number>()
  #lastAsked = 0
  #state: 'serving' | 'lingering' | 'ended' = 'serving'

  private constructor(options: ProgramOptions) {
    this.#options = options
    this.#http = createHttpServer((request, response) => {
      const { socket } = request
      this.#maybeProbes.delete(socket)
      if (!isProbe(request)) this.#lastAsked = options.clock.now()
      const client = `${plainAddress(socket.remoteAddress)}:${socket.remotePort}`
      const page = pageAt(new URL(request.url ?? '/', 'http://pod'), { name: options.name, client })
      options.say(`${client} ${request.method} ${request.url} ${page.status}`)
      sendPage(request, response, page, this.#state === 'serving' && page.exit === undefined ? 'more' : 'last')
      if (page.exit !== undefined) response.once('close', () => this.end(page.exit!))
    })
    this.#http.keepAliveTimeout = KEEP_ALIVE_MS
    this.#http.on('clientError', (_error, socket) => socket.destroy())
  }

  /** Resolves when it listens on all of its ports; rejects with the first it cannot have, and then listens on none. */
  static async start(options: ProgramOptions): Promise<Program> {
    const program = new Program(options)
    try {
      await Promise.all(options.ports.map(port => program.#listen(port)))
    } catch (error) {
      program.end(1)
      throw error
    }
    const ports = options.ports.map(({ protocol, port }) => `${protocol} ${port}`)
    options.say(`${options.name} listens on ${ports.join(', ') || 'no port: its container has none'}`)
    return program
  }

  /** Resolves with its exit status. */
  get ended(): Promise<number> {
    return this.#ended.promise
  }

  /** Goes on answering until its clients have stopped coming. */
  async terminate(): Promise<void> {
    if (this.#state !== 'serving') return
    this.#state = 'lingering'
    this.#options.say('SIGTERM: goes on until no client has come for a while')
    const { clock, ports } = this.#options
    this.#lastAsked = ports.length === 0 ? clock.now() - LINGER_MS : clock.now()
    for (
      let left = LINGER_MS;
      left > 0 && this.#state === 'lingering';
      left = Math.max(this.#lastAsked, ...this.#maybeProbes.values()) + LINGER_MS - clock.now()
    ) {
      if (ports.length > 0) await clock.sleep(left)
      // What has come while this process was busy is read before it counts as silence.
      await turn()
      await turn()
    }
    this.end(0)
  }

  /** At once: open connections are cut. */
  end(exitCode: number): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    for (const server of this.#servers) server.close()
    for (const socket of this.#datagrams) socket.close()
    for (const socket of this.#open) socket.destroy()
    this.#http.closeAllConnections()
    this.#ended.resolve(exitCode)
  }

  async #listen({ protocol, port }: ProgramPort): Promise<void> {
    const listener = protocol === 'TCP' ? this.#tcp() : this.#udp(port)
    const listening = once(listener, 'listening')
    // In this very turn its socket is made, so it is the namespace's.
    inside(this.#options.netns, () => (listener instanceof Server ? listener.listen(port) : listener.bind(port)))
    try {
      await listening
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new Error(`listen ${protocol.toLowerCase()} port ${port}: ${code}`, { cause: error })
    }
    // EMFILE on accept, and the like: the next client may have more luck.
    listener.on('error', () => {})
  }

  #tcp(): Server {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, socket => this.#accept(socket))
    this.#servers.push(server)
    return server
  }

  #accept(socket: Socket): void {
    const { name, say } = this.#options
    const cameAt = this.#options.clock.now()
    this.#open.add(socket)
    this.#maybeProbes.set(socket, cameAt)
    socket.once('close', () => {
      this.#open.delete(socket)
      if (this.#maybeProbes.delete(socket)) this.#lastAsked = Math.max(this.#lastAsked, cameAt)
    })
    socket.on('error', () => socket.destroy())
    firstBytes(socket, name, first => {
      const client = `${plainAddress(socket.remoteAddress)}:${socket.remotePort}`
      if (speaksHttp(first)) {
        socket.unshift(first)
        this.#http.emit('connection', socket)
        socket.resume()
        return
      }
      const said = (text: string): void => {
        this.#lastAsked = this.#options.clock.now()
        say(`${client} TCP ${text}`)
      }
      socket.once('end', () => socket.end())
      answerLines(socket, { name, first, said })
      socket.resume()
    })
  }

  #udp(port: number): UdpSocket {
    // Answered in the turn of `bind`: then the socket is made in it, too.
    const lookup = (host: string, _options: object, found: (error: null, address: string, family: number) => void) =>
      found(null, host, host.includes(':') ? 6 : 4)
    const socket = createSocket({ type: hasIpv6() ? 'udp6' : 'udp4', lookup: lookup as never })
    this.#datagrams.push(socket)
    socket.on('message', (bytes, { address, port: from }) => {
      this.#lastAsked = this.#options.clock.now()
      const [text, peer] = [bytes.toString(), { address: plainAddress(address), port: from }]
      this.#options.say(`${peer.address}:${from} UDP ${text.trimEnd()}`)
      const { name, addresses } = this.#options
      const isSame = (own: string): boolean => own.includes(':') === peer.address.includes(':')
      const local = { address: addresses.find(isSame) ?? '', port }
      // The client may have left in the meantime.
      socket.send(answerText({ name, peer, local, text }), from, address, () => {})
    })
    return socket
  }
}

/** Who asks each second for as long as the pod is there is not waited for. */
function isProbe({ headers }: IncomingMessage): boolean {
  return headers['user-agent']?.startsWith('kube-probe/') === true
}

function hasIpv6(): boolean {
  return existsSync('/proc/net/if_inet6')
}
