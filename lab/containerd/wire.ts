// Fields by number ⇄ the bytes of a protobuf message: numbers, texts and messages within, which is all that is asked of a runtime.

/** A list stands for a field that is repeated. An absent field has its default: 0, or an empty text. */
export type WireValue = number | string | WireFields | readonly WireFields[] | readonly string[]
export interface WireFields {
  readonly [field: number]: WireValue
}

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5

export function encoded(fields: WireFields): Buffer {
  const parts = Object.entries(fields).flatMap(([field, value]) => {
    const all = (Array.isArray(value) ? value : [value]) as readonly (number | string | WireFields)[]
    return all.map(one => encodedField(Number(field), one))
  })
  return Buffer.concat(parts)
}

function encodedField(field: number, value: number | string | WireFields): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint((field << 3) | VARINT), varint(value)])
  const bytes = typeof value === 'string' ? Buffer.from(value) : encoded(value)
  return Buffer.concat([varint((field << 3) | LENGTH), varint(bytes.length), bytes])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = BigInt(value)
  while (left > 127n) {
    bytes.push(Number(left & 127n) | 128)
    left >>= 7n
  }
  return Buffer.from([...bytes, Number(left)])
}

/** What was received, by the number of the field. */
export class WireMessage {
  readonly #fields = new Map<number, (bigint | Buffer)[]>()

  constructor(bytes: Buffer) {
    let at = 0
    const number = (): bigint => {
      let value = 0n
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at++]
        if (byte === undefined) throw new Error('a message ends within a number')
        value |= BigInt(byte & 127) << shift
        if (byte < 128) return value
      }
    }
    const run = (length: number): Buffer => {
      if (at + length > bytes.length) throw new Error(`a message of ${bytes.length} bytes ends within a field`)
      at += length
      return bytes.subarray(at - length, at)
    }
    while (at < bytes.length) {
      const key = Number(number())
      const [field, type] = [key >> 3, key & 7]
      if (type === VARINT) this.#add(field, number())
      else if (type === LENGTH) this.#add(field, run(Number(number())))
      else if (type === FIXED64) run(8)
      else if (type === FIXED32) run(4)
      else throw new Error(`field ${field} has the wire type ${type}, which is none of proto3`)
    }
  }

  number(field: number): number {
    const value = this.#fields.get(field)?.at(-1) ?? 0n
    return typeof value === 'bigint' ? Number(value) : 0
  }

  text(field: number): string {
    return this.#bytes(field).at(-1)?.toString() ?? ''
  }

  message(field: number): WireMessage {
    return new WireMessage(this.#bytes(field).at(-1) ?? Buffer.alloc(0))
  }

  messages(field: number): readonly WireMessage[] {
    return this.#bytes(field).map(bytes => new WireMessage(bytes))
  }

  #bytes(field: number): readonly Buffer[] {
    return (this.#fields.get(field) ?? []).filter(value => typeof value !== 'bigint')
  }

  #add(field: number, value: bigint | Buffer): void {
    const all = this.#fields.get(field)
    if (all === undefined) this.#fields.set(field, [value])
    else all.push(value)
  }
}
