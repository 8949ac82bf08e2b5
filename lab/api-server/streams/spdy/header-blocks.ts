import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib'
import { DICTIONARY } from './dictionary.ts'

// Header blocks of SPDY/3 ⇄ names and values. Each direction is one stream of zlib over all blocks of a connection, so they
// must be read and written in order.

export type Headers = Readonly<Record<string, string>>

export class HeaderBlocks {
  readonly #inflate: Inflate = createInflate({ dictionary: DICTIONARY })
  readonly #deflate: Deflate = createDeflate({ dictionary: DICTIONARY })

  async read(block: Buffer): Promise<Headers> {
    return decoded(await through(this.#inflate, block))
  }

  async write(headers: Headers): Promise<Buffer> {
    return await through(this.#deflate, encoded(headers))
  }

  close(): void {
    this.#inflate.destroy()
    this.#deflate.destroy()
  }
}

async function through(stream: Inflate | Deflate, bytes: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = []
  const collect = (chunk: Buffer) => chunks.push(chunk)
  stream.on('data', collect)
  try {
    await new Promise<void>((resolve, reject) => {
      stream.once('error', reject)
      stream.write(bytes)
      stream.flush(constants.Z_SYNC_FLUSH, () => {
        stream.off('error', reject)
        resolve()
      })
    })
  } finally {
    stream.off('data', collect)
  }
  return Buffer.concat(chunks)
}

function decoded(bytes: Buffer): Headers {
  let at = 0
  const number = () => {
    at += 4
    return bytes.readUInt32BE(at - 4)
  }
  const text = () => {
    const length = number()
    at += length
    return bytes.toString('latin1', at - length, at)
  }
  const headers: [string, string][] = []
  for (let left = number(); left > 0; left--) headers.push([text(), text()])
  return Object.fromEntries(headers)
}

function encoded(headers: Headers): Buffer {
  const entries = Object.entries(headers)
  const parts = entries.flatMap(entry => entry.flatMap(text => [uint32(Buffer.byteLength(text)), Buffer.from(text)]))
  return Buffer.concat([uint32(entries.length), ...parts])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
