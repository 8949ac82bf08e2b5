import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { Binding } from '#proxy/relay/messages.ts'
import type { Budget } from '#proxy/relay/worker/budget.ts'
import type { Chooser } from '#proxy/relay/worker/chooser.ts'
import type { ListenerParts, WorkerListener } from '#proxy/relay/worker/listener.ts'
import { isAddress } from './is-address.ts'
import { Session } from './session.ts'

// A proxy port of UDP → each client's datagrams handed to one endpoint, whole, and the answers handed back.

/** The receive buffer, for bursts; the kernel gives no more than net.core.rmem_max. */
const RECEIVE_BYTES = 4 * 1024 * 1024
const NONE: ReadonlySet<string> = new Set()

export class UdpListener implements WorkerListener {
  readonly chooser: Chooser
  readonly #socket: Socket
  readonly #budget: Budget
  readonly #idleMs: number
  readonly #sessions = new Map<string, Session>()

  private constructor({ binding, chooser, budget, udpIdleMs }: ListenerParts) {
    this.chooser = chooser
    this.#budget = budget
    this.#idleMs = udpIdleMs
    const ipv6 = binding.family === 'ipv6'
    this.#socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4', ipv6Only: ipv6, reusePort: true, lookup: isAddress })
    this.#socket.on('message', (message, from) => this.#receive(message, from))
  }

  /** Rejects where the port cannot be had. */
  static async open(parts: ListenerParts): Promise<UdpListener> {
    const listener = new UdpListener(parts)
    await listener.#listen(parts.binding)
    return listener
  }

  /** A client that goes on sending would never notice, so every conversation ends here. */
  close(): void {
    this.#socket.close()
    for (const session of [...this.#sessions.values()]) session.close()
  }

  #listen({ host, port }: Binding): Promise<void> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.off('error', reject).on('error', () => {})
        socket.setRecvBufferSize(RECEIVE_BYTES)
        resolve()
      })
    })
  }

  #receive(message: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`
    const known = this.#sessions.get(key)
    if (known !== undefined && this.#isGood(known)) known.send(message)
    else {
      known?.close()
      this.#begin(key, from)?.send(message)
    }
  }

  /** The endpoint is in the pool, or has left it and goes on answering. */
  #isGood(session: Session): boolean {
    return this.chooser.has(session.endpoint) || session.isAnswered
  }

  #begin(key: string, { address, port }: RemoteInfo): Session | undefined {
    const endpoint = this.chooser.choose(address, NONE)
    if (endpoint === undefined || !this.#budget.take(1)) return undefined
    const session = new Session({
      endpoint,
      idleMs: this.#idleMs,
      answer: message => this.#socket.send(message, port, address, () => {}),
      refused: () => {
        this.chooser.failed(endpoint)
        this.chooser.forget(address)
      },
      ended: () => {
        this.#sessions.delete(key)
        this.#budget.give(1)
      },
    })
    this.#sessions.set(key, session)
    this.chooser.answered(address, endpoint)
    return session
  }
}
