import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createListener, type Server as Listener, type Socket } from 'node:net'
import { type Fault, FaultPlan } from './fault-plan.ts'
import { Refused, refusalOf, refuse, refuseUpgrade } from './requests/answers.ts'
import type { Watch } from './requests/reads/watch.ts'
import { ApiRequests } from './requests/requests.ts'
import { clusterIPRanges, nodePortRange, type ServiceRangeFlags } from './services/service-ranges.ts'
import { openDatabase, type Storage } from './storage/database.ts'
import { ApiStore } from './store.ts'
import type { Upgrade } from './streams/exec.ts'
import type { PodStreamsOf } from './streams/pod-streams.ts'

// A small Kubernetes API server on loopback: real HTTP, lists and watches, and every way in which they can go wrong.

export interface ApiServer {
  readonly url: string
  readonly port: number
  readonly store: ApiStore
  /** What was asked, oldest first; only the newest requests are kept. */
  readonly requests: readonly SeenRequest[]
  /** The fault happens from now on, until undone or used up. Returns the way to undo. */
  inject(fault: Fault): () => void
  /** Sends a bookmark to every watch that asked for them, now. */
  bookmark(): void
  /** RST on every connection. */
  dropConnections(): void
  /** Ends watches cleanly, then everything else. */
  close(): Promise<void>
}

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Milliseconds since the epoch. */
  readonly time: number
}

export interface ApiTls {
  readonly key: string
  readonly cert: string
  /** The authority that signed the clients' certificates. */
  readonly ca?: string
  /** A client with a certificate of that CA is let in as one with a token is. */
  readonly requestCert?: boolean
}

export interface ApiServerOptions {
  /** 0 or absent: any free one. */
  readonly port?: number
  /** The address to listen at; absent: loopback alone. */
  readonly host?: string
  /** Sockets that listen elsewhere, as in the network namespace of a link: what connects there is served, too. */
  readonly alsoAt?: readonly { readonly fd: number }[]
  /** A server that comes back with the same store is a server that was restarted. */
  readonly store?: ApiStore
  /** Only requests with one of these bearer tokens are answered; may be changed while the server runs. */
  readonly tokens?: ReadonlySet<string>
  readonly tls?: ApiTls
  /** Real servers send a bookmark to a quiet watch once a minute; 0: only `bookmark()` sends them. */
  readonly bookmarkMs?: number
  readonly now?: () => number
  /** Of the flags of kube-apiserver; a store that is given has its ranges in its ServiceCIDRs. */
  readonly services?: ServiceRangeFlags
  /** Where in a range the search for a free address or port begins: at least 0, less than 1. Absent: always the first. */
  readonly random?: () => number
  /** What answers `logs` and `exec` of the pods on a node. Absent: no node answers. */
  readonly pods?: PodStreamsOf
  /** A SQLite file that keeps the objects: a server that starts with it again goes on where the last one ended. */
  readonly database?: string
  /** Of kube-apiserver's --default-unreachable-toleration-seconds; 300 if absent. */
  readonly tolerationSeconds?: number
  /** Where controllers and kubelets run beside the server, they finish what a deletion begins; otherwise it is done at once. */
  readonly controllers?: 'none' | 'running'
}

/** So many requests are remembered. */
const SEEN_REQUESTS = 10_000

export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const server = new LoopbackApiServer(options)
  await server.listen(options.port ?? 0)
  return server
}

class LoopbackApiServer implements ApiServer {
  readonly store: ApiStore
  readonly requests: SeenRequest[] = []
  readonly #options: ApiServerOptions
  readonly #faults = new FaultPlan()
  readonly #watches = new Set<Watch>()
  readonly #sockets = new Set<Socket>()
  readonly #requests: ApiRequests
  readonly #server: Server
  readonly #storage: Storage | undefined
  readonly #listeners: Listener[] = []
  #port = 0

  constructor(options: ApiServerOptions) {
    this.#options = options
    const { services = {}, now, random = () => 0, database } = options
    this.#storage = database === undefined ? undefined : openDatabase(database)
    const kept = this.#storage && { storage: this.#storage }
    this.store =
      options.store ?? new ApiStore({ ...(now && { now }), ...kept, serviceRanges: clusterIPRanges(services) })
    this.#requests = new ApiRequests({
      store: this.store,
      faults: this.#faults,
      bookmarkMs: options.bookmarkMs ?? 60_000,
      pods: options.pods,
      controllers: options.controllers ?? 'none',
      allocation: { nodePorts: nodePortRange(services), random },
      tolerationSeconds: options.tolerationSeconds ?? 300,
      reset: response => this.#reset(response),
      opened: (watch, response) => {
        this.#watches.add(watch)
        response.on('close', () => this.#watches.delete(watch))
      },
    })
    this.#server = this.#newServer()
  }

  /** Stays known after the end: a server may be started again on the same port. */
  get port(): number {
    return this.#port
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}`
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, this.#options.host ?? '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
    for (const { fd } of this.#options.alsoAt ?? []) {
      const listener = createListener(socket => this.#server.emit('connection', socket)).listen({ fd })
      this.#listeners.push(listener)
      await once(listener, 'listening')
    }
  }

  inject(fault: Fault): () => void {
    if (fault.do !== 'compact') return this.#faults.add(fault)
    this.store.compact()
    return () => {}
  }

  bookmark(): void {
    for (const watch of this.#watches) watch.bookmark()
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    for (const listener of this.#listeners) listener.close()
    for (const watch of this.#watches) watch.end()
    // A turn of the loop, so that the ends of the watches are on their way before the connections go.
    await new Promise(resolve => setImmediate(resolve))
    this.#server.closeAllConnections()
    for (const socket of this.#sockets) socket.destroy()
    await closed
    this.#storage?.close()
  }

  #newServer(): Server {
    const { tls } = this.#options
    const onRequest = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response)
    const server =
      tls === undefined ? createServer(onRequest) : createTlsServer({ ...tls, rejectUnauthorized: false }, onRequest)
    server.on('upgrade', (request, socket, head) => void this.#upgrade({ request, socket, head }))
    server.keepAliveTimeout = 90_000
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {}) // a client that goes away is not an error of this server
    })
    return server
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    this.#remember(request, url)
    response.on('error', () => {})
    try {
      this.#authenticate(request, url.pathname)
      await this.#requests.answer(request, response, url)
    } catch (error) {
      if (response.headersSent || response.destroyed) return void response.destroy()
      refuse(response, refusalOf(error))
    }
  }

  async #upgrade(upgrade: Upgrade): Promise<void> {
    const { request, socket } = upgrade
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    this.#remember(request, url)
    socket.on('error', () => socket.destroy())
    try {
      this.#authenticate(request, url.pathname)
      await this.#requests.upgrade(upgrade, url)
    } catch (error) {
      refuseUpgrade(socket, refusalOf(error))
    }
  }

  #remember({ method = 'GET', headers }: IncomingMessage, url: URL): void {
    const query = Object.fromEntries(url.searchParams)
    this.requests.push({ method, path: url.pathname, query, headers, time: (this.#options.now ?? Date.now)() })
    if (this.requests.length > SEEN_REQUESTS) this.requests.shift()
  }

  /** A bearer token, or a client certificate of our CA; health and version need neither. */
  #authenticate(request: IncomingMessage, path: string): void {
    const { tokens, tls } = this.#options
    if ((tokens === undefined && tls?.requestCert !== true) || /^\/(healthz|livez|readyz|version)/.test(path)) return
    const socket = request.socket as Socket & { readonly authorized?: boolean }
    if (tls?.requestCert === true && socket.authorized === true) return
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (bearer === undefined || tokens?.has(bearer) !== true) throw new Refused(401, 'Unauthorized')
  }

  /** TLS hides the TCP connection, and only that one can be reset. */
  #reset(response: ServerResponse): void {
    const { remoteAddress, remotePort } = response.req.socket
    const isSame = (socket: Socket) => socket.remoteAddress === remoteAddress && socket.remotePort === remotePort
    this.#sockets.values().find(isSame)?.resetAndDestroy()
  }
}
