import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import type { Binding } from '#proxy/relay/messages.ts'
import type { Budget } from '#proxy/relay/worker/budget.ts'
import type { Chooser } from '#proxy/relay/worker/chooser.ts'
import type { ListenerParts, WorkerListener } from '#proxy/relay/worker/listener.ts'
import { Bridge, KEEP_ALIVE_MS } from './bridge.ts'
import { dial } from './dial.ts'

// A proxy port of TCP → clients let in, each handed to an endpoint. No client waits for the endpoint of another.

/** As many as the kernel allows: in a storm of clients, one that has to wait is better off than one that is refused. */
const BACKLOG = 65_535
/** A client and its endpoint. */
const DESCRIPTORS = 2
/** Clients that still wait are let in one a turn of the loop: after so many turns without any there is none. */
const IDLE_TURNS = 3
/** A program that goes on connecting to the port itself must not keep it open. */
const LONGEST_MS = 1000

export class TcpListener implements WorkerListener {
  readonly chooser: Chooser
  readonly #server: Server
  readonly #budget: Budget
  readonly #unreachable: (client: string) => void
  #clients = 0

  private constructor({ chooser, budget, unreachable }: ListenerParts) {
    this.chooser = chooser
    this.#budget = budget
    this.#unreachable = unreachable
    const keptAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, ...keptAlive }, socket =>
      this.#letIn(socket),
    )
  }

  /** Rejects where the port cannot be had. */
  static async open(parts: ListenerParts): Promise<TcpListener> {
    const listener = new TcpListener(parts)
    await listener.#listen(parts.binding)
    return listener
  }

  /** Connections that are open stay. Those that the kernel holds for us are let in first: it would reset them with the socket. */
  async close(): Promise<void> {
    const end = performance.now() + LONGEST_MS
    for (let idle = 0; idle < IDLE_TURNS && performance.now() < end; ) {
      const before = this.#clients
      await new Promise(resolve => setImmediate(resolve))
      idle = this.#clients === before ? idle + 1 : 0
    }
    this.#server.close()
  }

  #listen({ host, port }: Binding): Promise<void> {
    const server = this.#server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, ipv6Only: isIPv6(host), reusePort: true, backlog: BACKLOG }, () => {
        server.off('error', reject)
        // EMFILE on accept must not crash the process; the next client may find a descriptor free.
        server.on('error', () => {})
        resolve()
      })
    })
  }

  #letIn(client: Socket): void {
    this.#clients++
    client.on('error', () => {})
    if (this.#budget.take(DESCRIPTORS)) void this.#serve(client).finally(() => this.#budget.give(DESCRIPTORS))
    else client.resetAndDestroy()
  }

  async #serve(client: Socket): Promise<void> {
    const bridge = new Bridge()
    const { remoteAddress } = client
    // The client left before its address was read.
    if (remoteAddress === undefined) return void client.destroy()
    const endpoint = await dial({
      chooser: this.chooser,
      client: remoteAddress,
      connect: (endpoint, patienceMs) => bridge.reach(endpoint, patienceMs),
    })
    if (endpoint !== undefined) return bridge.join(client, endpoint)
    client.resetAndDestroy()
    this.#unreachable(remoteAddress)
  }
}
