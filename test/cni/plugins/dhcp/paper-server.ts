import { type DhcpFrame, frameBytes } from '#cni/plugins/dhcp/frame.ts'
import { addressBytes, type DhcpMessage, messageBytes, OPTION } from '#cni/plugins/dhcp/message.ts'
import type { PacketLink } from '#system/packets/packet-link.ts'
import type { Clock } from '#system/ports.ts'
import { type Address, parseAddress } from '#values/address.ts'

// A link of paper with a DHCP server on it that answers as a test wants, and a clock that moves when it is slept on.

export const HARDWARE = Buffer.from('020000000001', 'hex')
export const SERVER = parseAddress('10.9.0.1')!

export class PaperClock implements Clock {
  time = 1_000_000
  now(): number {
    return this.time
  }
  async sleep(ms: number): Promise<void> {
    this.time += ms
  }
}

export type Reply = Partial<Omit<DhcpMessage, 'options'>> & { readonly options?: DhcpMessage['options'] }

/** Each frame that is sent is put down, and the reply to it, if any, is there to be received. */
export class PaperLink implements PacketLink {
  readonly hardware = HARDWARE
  readonly sent: Buffer[] = []
  readonly #waiting: Buffer[] = []
  readonly #reply: (question: Buffer, count: number) => readonly Buffer[]
  isClosed = false

  constructor(reply: (question: Buffer, count: number) => readonly Buffer[]) {
    this.#reply = reply
  }

  send(frame: Buffer): void {
    this.sent.push(frame)
    this.#waiting.push(...this.#reply(frame, this.sent.length))
  }

  receive(): Buffer | undefined {
    return this.#waiting.shift()
  }

  close(): void {
    this.isClosed = true
  }
}

/** The transaction of a question inside its frame. */
export function transactionOf(frame: Buffer): number {
  return frame.readUInt32BE(14 + 20 + 8 + 4)
}

export function answerFrame(question: Buffer, reply: Reply = {}): Buffer {
  return asFromServer(answerBytes({ transaction: transactionOf(question), ...reply }))
}

/** What a server would have put into UDP. */
export function answerBytes({ options = new Map(), ...reply }: Reply): Buffer {
  const message: DhcpMessage = {
    kind: 'OFFER',
    transaction: 7,
    secondsSinceStart: 0,
    answer: 'broadcast',
    yourAddress: '10.9.0.5' as Address,
    hardware: HARDWARE,
    ...reply,
    options: new Map([...GIVEN, ...options]),
  }
  const bytes = messageBytes(message)
  bytes[0] = 2
  return bytes
}

const GIVEN: readonly (readonly [number, Buffer])[] = [
  [OPTION.serverId, addressBytes(SERVER)],
  [OPTION.subnetMask, Buffer.from([255, 255, 255, 0])],
]

export function asFromServer(payload: Buffer): Buffer {
  const frame: DhcpFrame = {
    to: { hardware: HARDWARE, address: '255.255.255.255' as Address },
    from: { hardware: Buffer.from('0200000000ff', 'hex'), address: SERVER },
    payload,
  }
  const bytes = frameBytes(frame)
  // To the client's port.
  bytes.writeUInt16BE(67, 14 + 20)
  bytes.writeUInt16BE(68, 14 + 22)
  return bytes
}

export function seconds(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
