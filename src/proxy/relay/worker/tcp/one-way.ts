import type { OnReadOpts, Socket } from 'node:net'
import { giveBack, QUIET, takeBuffer } from './buffers.ts'

// One direction of a bridge: what is read from one socket is written to the other, and no more is read than the other takes.

export class OneWay {
  #from: Socket | undefined
  #to: Socket | undefined
  #own: Buffer | undefined
  #lastRead = 0
  /** The other side has not taken everything yet. */
  #isWaiting = false

  /** Belongs into the options of the socket that is read from. */
  readonly onread: OnReadOpts = {
    buffer: () => this.#buffer(),
    callback: (bytes, buffer) => this.#pass(bytes, buffer),
  }

  /** Before anything is read. */
  carry(from: Socket, to: Socket): void {
    this.#from = from
    this.#to = to
    to.on('drain', () => this.#goOn())
    from.once('end', () => to.end())
  }

  /** When both sockets are closed: neither uses the buffer any more. */
  release(): void {
    if (this.#own !== undefined) giveBack(this.#own)
    this.#own = undefined
  }

  /** Node calls this before each read. While #isWaiting, the last buffer still holds what the other side has not taken. */
  #buffer(): Buffer {
    if (this.#own === undefined && this.#lastRead === QUIET.length) {
      this.#own = takeBuffer()
    } else if (this.#own !== undefined && !this.#isWaiting && this.#lastRead < QUIET.length) this.release()
    return this.#own ?? QUIET
  }

  /** False stops reading. */
  #pass(bytes: number, buffer: Uint8Array): boolean {
    const to = this.#to!
    const read = buffer.subarray(0, bytes)
    this.#lastRead = bytes
    to.write(buffer === QUIET ? Buffer.from(read) : read)
    this.#isWaiting = to.writableLength > 0
    return !this.#isWaiting
  }

  #goOn(): void {
    if (!this.#isWaiting || this.#to!.writableLength > 0) return
    this.#isWaiting = false
    this.#from!.resume()
  }
}
