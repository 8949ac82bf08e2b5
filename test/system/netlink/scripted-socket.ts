import { type Message, message, messagesIn } from '#system/netlink/message.ts'
import type { NetlinkSocket, Received } from '#system/netlink/socket.ts'

// A netlink socket whose kernel a test writes: what it is sent, it answers with datagrams of messages.

/** One message of an answer; without a sequence it has that of the question. */
export interface Answer {
  readonly type: number
  readonly flags?: number
  readonly sequence?: number
  readonly body?: Buffer
}

/** One read: messages, or what the kernel says in their place. */
export type Datagram = readonly Answer[] | Buffer | 'overflow'

export class ScriptedSocket implements NetlinkSocket {
  readonly sent: Message[] = []
  closed = 0
  /** What `send` says; while it is not 0, nothing is answered. */
  errno = 0
  readonly #answer: (asked: Message) => readonly Datagram[]
  readonly #waiting: Received[] = []

  constructor(answer: (asked: Message) => readonly Datagram[] = () => []) {
    this.#answer = answer
  }

  /** Comes without having been asked for. */
  arrives(...datagrams: readonly Datagram[]): void {
    this.#waiting.push(...datagrams.map(one => received(one, 0)))
  }

  send(bytes: Buffer): number {
    if (this.errno !== 0) return this.errno
    for (const { body, ...asked } of messagesIn(bytes)) {
      const one = { ...asked, body: Buffer.from(body) }
      this.sent.push(one)
      this.#waiting.push(...this.#answer(one).map(datagram => received(datagram, one.sequence)))
    }
    return 0
  }

  async sendAside(bytes: Buffer): Promise<void> {
    this.send(bytes)
  }

  receive(): Received {
    return this.#waiting.shift() ?? 'nothing'
  }

  async arrival(): Promise<'something' | 'nothing' | 'broken'> {
    return this.#waiting.length > 0 ? 'something' : 'nothing'
  }

  namespaceCookie(): string {
    return 'paper'
  }

  close(): void {
    this.closed++
  }

  closeAside(): void {
    this.close()
  }
}

function received(datagram: Datagram, asked: number): Received {
  if (datagram === 'overflow') return datagram
  if (Buffer.isBuffer(datagram)) return { bytes: datagram }
  const messages = datagram.map(({ type, flags = 0, sequence = asked, body = Buffer.of() }) => {
    const bytes = message({ type, flags, sequence, header: body })
    return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
  })
  return { bytes: Buffer.concat(messages) }
}

/** The body of an ERROR or of the end of a list. */
export function errorBody(errno: number): Buffer {
  const body = Buffer.alloc(20)
  body.writeInt32LE(-errno)
  return body
}
