// Bytes of a SPDY/3 connection ⇄ its frames.

export const TYPE = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const
export const FIN = 1

export type SpdyFrame =
  | { readonly is: 'data'; readonly stream: number; readonly flags: number; readonly data: Buffer }
  | { readonly is: 'control'; readonly type: number; readonly flags: number; readonly data: Buffer }

const HEAD = 8
const VERSION = 3

export class SpdyReader {
  #bytes: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): readonly SpdyFrame[] {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    const frames: SpdyFrame[] = []
    while (this.#bytes.length >= HEAD) {
      const first = this.#bytes.readUInt32BE(0)
      const second = this.#bytes.readUInt32BE(4)
      const end = HEAD + (second & 0xffffff)
      if (this.#bytes.length < end) break
      const data = Buffer.from(this.#bytes.subarray(HEAD, end))
      const flags = second >>> 24
      this.#bytes = this.#bytes.subarray(end)
      if (first < 0x80000000) frames.push({ is: 'data', stream: first, flags, data })
      else frames.push({ is: 'control', type: first & 0xffff, flags, data })
    }
    return frames
  }
}

export function dataFrame(stream: number, data: Buffer, flags = 0): Buffer {
  return frame(stream, flags, data)
}

export function controlFrame(type: number, data: Buffer, flags = 0): Buffer {
  return frame((0x80000000 | (VERSION << 16) | type) >>> 0, flags, data)
}

/** A stream's number, and what follows it. */
export function ofStream(stream: number, ...rest: readonly Buffer[]): Buffer {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(stream)
  return Buffer.concat([number, ...rest])
}

function frame(first: number, flags: number, data: Buffer): Buffer {
  const head = Buffer.alloc(HEAD)
  head.writeUInt32BE(first)
  head.writeUInt32BE(((flags << 24) | data.length) >>> 0, 4)
  return Buffer.concat([head, data])
}
