import { connect, createServer, type Socket } from 'node:net'
import { placeSocket } from './placed-socket.ts'

// A path → a unix socket there, for root alone, and the connections that come in.

export interface LocalConnection {
  /** Called with each piece of what comes. */
  onBytes(listener: (bytes: Buffer) => void): void
  /** Whether the kernel has taken them: false where the other end is gone, or has said that it reads no more. */
  write(bytes: Uint8Array): Promise<boolean>
  /** The last bytes, if any, and the end: resolves when the kernel has them or the other end is gone, and it is closed. */
  end(bytes?: Uint8Array): Promise<void>
  /** Whether the other end, or this one, has closed it. */
  readonly isClosed: boolean
  /** Called once, when it is closed. */
  onClosed(listener: () => void): void
}

export interface LocalListener {
  /** Whether the path leads here: a folder may be emptied by whatever cleans it. */
  isReachable(): Promise<boolean>
  /** No new connections from here on; the path is free. Those that are there go on. */
  close(): Promise<void>
}

/** Rejects where another process serves there. */
export async function serveLocal(
  path: string,
  onConnection: (connection: LocalConnection) => void,
): Promise<LocalListener> {
  const server = createServer(socket => onConnection(new SocketConnection(socket)))
  const { isReachable, takeAway } = await placeSocket(server, path)
  return {
    isReachable,
    async close() {
      await takeAway()
      server.close()
    },
  }
}

/** All that is answered to these bytes, up to the end. Rejects where nothing is served there. */
export function askLocal(path: string, onConnection: (connection: LocalConnection) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    socket.once('error', reject).once('close', () => resolve())
    socket.once('connect', () => onConnection(new SocketConnection(socket)))
  })
}

class SocketConnection implements LocalConnection {
  readonly #socket: Socket
  #isClosed = false
  #closed: () => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    const close = (): void => {
      if (this.#isClosed) return
      this.#isClosed = true
      this.#closed()
    }
    // What went wrong does not matter: the other end is gone.
    socket.on('error', () => {})
    socket.on('close', close)
    socket.on('end', close)
  }

  onBytes(listener: (bytes: Buffer) => void): void {
    this.#socket.on('data', listener)
  }

  write(bytes: Uint8Array): Promise<boolean> {
    if (this.isClosed) return Promise.resolve(false)
    return new Promise(resolve => {
      this.#socket.write(bytes, error => resolve(error === null || error === undefined))
    })
  }

  async end(bytes?: Uint8Array): Promise<void> {
    if (bytes !== undefined) await this.write(bytes)
    if (this.#socket.closed) return
    const closed = new Promise(resolve => this.#socket.once('close', resolve))
    // What the kernel has, it hands over, also once this end is closed; and answers of this turn go before any is closed.
    setImmediate(() => this.#socket.destroy())
    await closed
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#socket.destroyed
  }

  onClosed(listener: () => void): void {
    this.#closed = listener
  }
}
