import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

// A TCP proxy on loopback that misbehaves as networks do: what a client sees when the path breaks, not the server.

export interface TcpProxy {
  readonly port: number
  /** How many connections are open through it, and how many there were. */
  readonly open: number
  readonly seen: number
  /** Half-open: connections that exist stay, and nothing passes in either direction until `heal`. New ones work. */
  stall(): void
  /** The servers' ends are gone and the clients' ends do not learn of it: nothing will ever come on them again. */
  orphan(): void
  /** New connections are taken, and nothing is ever answered on them. Those that exist work. */
  blackHole(): void
  /** The listener is closed: new connections are refused. Those that exist work. */
  refuse(): Promise<void>
  /** RST on every connection, to both ends. */
  reset(): void
  /** New connections work, stalled ones flow again; orphans and swallowed ones stay as they are. */
  heal(): Promise<void>
  close(): Promise<void>
}

export interface TcpTarget {
  readonly port: number
  readonly host?: string
}

export async function startTcpProxy(target: TcpTarget): Promise<TcpProxy> {
  const proxy = new LoopbackProxy(target)
  await proxy.listen(0)
  return proxy
}

interface Pair {
  readonly client: Socket
  readonly upstream: Socket | undefined
}

class LoopbackProxy implements TcpProxy {
  readonly #target: TcpTarget
  readonly #pairs = new Set<Pair>()
  readonly #stalled = new Set<Socket>()
  #server: Server | undefined
  #newcomers: 'served' | 'swallowed' = 'served'
  port = 0
  seen = 0

  constructor(target: TcpTarget) {
    this.#target = target
  }

  get open(): number {
    return this.#pairs.size
  }

  async listen(port: number): Promise<void> {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, client => this.#take(client))
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  stall(): void {
    for (const socket of this.#sockets()) {
      this.#stalled.add(socket)
      socket.pause()
    }
  }

  orphan(): void {
    this.stall()
    for (const { client, upstream } of this.#pairs) {
      upstream?.removeAllListeners('close')
      upstream?.destroy()
      // Never flows again: heal resumes only what is still in the set.
      this.#stalled.delete(client)
    }
  }

  blackHole(): void {
    this.#newcomers = 'swallowed'
  }

  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    // Resolved by the end of listening: `close` itself waits for the connections, which are to live on.
    server.close()
    await new Promise(resolve => setImmediate(resolve))
  }

  reset(): void {
    for (const socket of this.#sockets()) socket.resetAndDestroy()
  }

  async heal(): Promise<void> {
    this.#newcomers = 'served'
    const waiting = [...this.#stalled]
    this.#stalled.clear()
    for (const socket of waiting) socket.resume()
    if (this.#server === undefined) await this.listen(this.port)
  }

  async close(): Promise<void> {
    await this.refuse()
    for (const socket of this.#sockets()) socket.destroy()
  }

  #take(client: Socket): void {
    this.seen++
    const upstream =
      this.#newcomers === 'served'
        ? connect({ host: '127.0.0.1', allowHalfOpen: true, noDelay: true, ...this.#target })
        : undefined
    const pair = { client, upstream }
    this.#pairs.add(pair)
    client.on('close', () => this.#pairs.delete(pair))
    client.on('error', () => {})
    if (upstream === undefined) return void client.resume()
    upstream.on('error', () => client.resetAndDestroy())
    this.#forward(client, upstream)
    this.#forward(upstream, client)
  }

  #forward(from: Socket, to: Socket): void {
    from.on('data', chunk => {
      if (!to.write(chunk)) from.pause()
    })
    to.on('drain', () => {
      if (!this.#stalled.has(from)) from.resume()
    })
    from.on('end', () => to.end())
    from.on('close', () => {
      this.#stalled.delete(from)
      // A side that ended in good order lets the other finish; one that did not is a broken connection.
      if (!from.readableEnded) to.resetAndDestroy()
    })
  }

  #sockets(): Socket[] {
    return [...this.#pairs].flatMap(({ client, upstream }) => (upstream === undefined ? [client] : [client, upstream]))
  }
}
