import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { PoolEndpoint } from '#proxy/relay/messages.ts'
import { isAddress } from './is-address.ts'

// One client of a UDP service and its endpoint: datagrams out, answers back, until both have been silent for a while.

export interface SessionParts {
  readonly endpoint: PoolEndpoint
  readonly idleMs: number
  readonly answer: (message: Buffer) => void
  /** Called when the endpoint's host answers that its port is closed. */
  readonly refused: () => void
  readonly ended: () => void
}

/** Datagrams kept until the socket is connected, which takes a moment. */
const MOST_QUEUED = 64

export class Session {
  readonly endpoint: PoolEndpoint
  readonly #parts: SessionParts
  readonly #socket: Socket
  readonly #idle: NodeJS.Timeout
  #queue: Buffer[] | undefined = []
  #answeredAt = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(parts: SessionParts) {
    const { endpoint, idleMs } = parts
    this.#parts = parts
    this.endpoint = endpoint
    this.#idle = setTimeout(() => this.close(), idleMs)
    this.#socket = createSocket({ type: isIPv6(endpoint.ip) ? 'udp6' : 'udp4', lookup: isAddress })
    this.#socket.on('message', message => this.#hear(message))
    this.#socket.on('error', () => this.#refuse())
    this.#socket.connect(endpoint.port, endpoint.ip, () => this.#flush())
  }

  /** True while the endpoint answers: a conversation may be going on. */
  get isAnswered(): boolean {
    return performance.now() - this.#answeredAt <= this.#parts.idleMs
  }

  send(message: Buffer): void {
    if (this.#closed) return
    this.#idle.refresh()
    if (this.#queue === undefined) this.#socket.send(message, error => error && this.#refuse())
    else if (this.#queue.length < MOST_QUEUED) this.#queue.push(message)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#idle)
    this.#socket.close()
    this.#parts.ended()
  }

  #flush(): void {
    const queue = this.#queue ?? []
    this.#queue = undefined
    for (const message of queue) this.send(message)
  }

  #hear(message: Buffer): void {
    this.#idle.refresh()
    this.#answeredAt = performance.now()
    this.#parts.answer(message)
  }

  #refuse(): void {
    if (this.#closed) return
    this.#parts.refused()
    this.close()
  }
}
