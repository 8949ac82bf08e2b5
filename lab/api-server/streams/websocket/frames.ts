// Bytes of a WebSocket (RFC 6455) ⇄ its messages and control frames, as a server sees them.

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface Frame {
  readonly opcode: number
  readonly isLast: boolean
  readonly payload: Buffer
}

/** Nothing that kubectl sends comes near it. */
const LONGEST = 32 * 1024 * 1024

export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0)

  /** Every frame that is whole with these bytes. Throws where they are no frame that a client may send. */
  push(chunk: Buffer): readonly Frame[] {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    const frames: Frame[] = []
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) frames.push(frame)
    return frames
  }

  #take(): Frame | undefined {
    const bytes = this.#bytes
    if (bytes.length < 2) return undefined
    const short = bytes[1]! & 0x7f
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
    const head = 2 + lengthBytes + 4
    if (bytes.length < head) return undefined
    if ((bytes[1]! & 0x80) === 0) throw new Error('a client must mask its frames')
    const length =
      lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
    if (length > LONGEST) throw new Error(`a frame of ${length} bytes is too long`)
    if (bytes.length < head + length) return undefined
    const mask = bytes.subarray(head - 4, head)
    const payload = Buffer.from(bytes.subarray(head, head + length))
    for (let i = 0; i < payload.length; i++) payload[i] = payload[i]! ^ mask[i % 4]!
    this.#bytes = bytes.subarray(head + length)
    return { opcode: bytes[0]! & 0x0f, isLast: (bytes[0]! & 0x80) !== 0, payload }
  }
}

/** A whole message in one frame; a server does not mask. */
export function frameBytes(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10)
  head[0] = 0x80 | opcode
  if (length < 126) head[1] = length
  else if (length < 65_536) {
    head[1] = 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  return Buffer.concat([head, payload])
}
