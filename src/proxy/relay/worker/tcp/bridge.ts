import { connect, Socket } from 'node:net'
import type { PoolEndpoint } from '#proxy/relay/messages.ts'
import type { DialFailure } from './dial.ts'
import { OneWay } from './one-way.ts'

// A client and an endpoint → one connection, as if the relay were not between them: a FIN is passed on as a FIN, a reset as a
// reset.

/** A side that vanishes without FIN or reset is noticed after this long and ten unanswered probes. */
export const KEEP_ALIVE_MS = 30_000

const SOCKET_OPTIONS = {
  allowHalfOpen: true,
  // Everything that is not with the kernel yet is worth waiting for: see `drain` in OneWay.
  writableHighWaterMark: 1,
}

export class Bridge {
  readonly #outward = new OneWay()
  readonly #inward = new OneWay()

  /** One attempt; the socket does not read before it is joined. */
  reach({ ip, port }: PoolEndpoint, patienceMs: number): Promise<Socket | DialFailure> {
    const socket = connect({
      host: ip,
      port,
      ...SOCKET_OPTIONS,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      onread: this.#inward.onread,
    })
    socket.pause()
    return answer(socket, patienceMs)
  }

  /** Resolves when both are closed. A client that has left meanwhile takes the endpoint with it. */
  async join(accepted: Socket, endpoint: Socket): Promise<void> {
    if (accepted.destroyed) return void endpoint.destroy()
    const client = readingInto(accepted, this.#outward)
    this.#outward.carry(client, endpoint)
    this.#inward.carry(endpoint, client)
    const closed = Promise.all([gone(client, endpoint), gone(endpoint, client)])
    endpoint.resume()
    await closed
    this.#outward.release()
    this.#inward.release()
  }
}

/**
 * Node gives an accepted connection a socket that takes a new buffer for every read. Ours reads into that of its OneWay, which halves
 * what a byte costs us; there is no option for that, so the handle changes hands.
 */
function readingInto(accepted: Socket, { onread }: OneWay): Socket {
  const given = accepted as unknown as { _handle: object | null }
  const handle = given._handle
  given._handle = null
  accepted.destroy()
  const options: object = { ...SOCKET_OPTIONS, handle, onread }
  return new Socket(options)
}

async function answer(socket: Socket, patienceMs: number): Promise<Socket | DialFailure> {
  const { promise, resolve } = Promise.withResolvers<Socket | DialFailure>()
  // A loop that was busy finds the timer due before it looks at sockets: the answer may be there already.
  const timer = setTimeout(() => setImmediate(() => resolve('silent')), patienceMs)
  socket.once('connect', () => resolve(socket))
  socket.on('error', error => resolve(failureOf(error)))
  const found = await promise
  clearTimeout(timer)
  if (found !== socket) socket.destroy()
  return found
}

function failureOf(error: NodeJS.ErrnoException): DialFailure {
  return OURS.has(error.code ?? '') ? 'ours' : 'refused'
}

const OURS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

/** Resolves when `one` is closed; where that was no proper end, the other side is reset as well. */
function gone(one: Socket, other: Socket): Promise<void> {
  return new Promise(resolve => {
    // The close that follows says what went wrong.
    one.on('error', () => {})
    one.once('close', () => {
      const properly = one.readableEnded && one.writableFinished
      if (!properly && !other.destroyed) other.resetAndDestroy()
      resolve()
    })
  })
}
