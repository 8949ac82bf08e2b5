// Bytes of a protobuf message → its fields by number.

export interface WireField {
  readonly number: number
  readonly value: bigint | Buffer
}

/** Undefined where the bytes are no whole message. */
export function wireFields(bytes: Buffer): readonly WireField[] | undefined {
  const found: WireField[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = varint(bytes, at)
    if (tag === undefined) return undefined
    const [number, kind] = [Number(tag.value >> 3n), Number(tag.value & 7n)]
    const field = kind === 0 ? varint(bytes, tag.end) : kind === 2 ? sized(bytes, tag.end) : fixed(bytes, tag.end, kind)
    if (field === undefined) return undefined
    found.push({ number, value: field.value })
    at = field.end
  }
  return found
}

interface Read<T> {
  readonly value: T
  readonly end: number
}

function varint(bytes: Buffer, start: number): Read<bigint> | undefined {
  let value = 0n
  for (let at = start; at < bytes.length && at < start + 10; at++) {
    value |= BigInt(bytes[at]! & 0x7f) << BigInt(7 * (at - start))
    if (bytes[at]! < 0x80) return { value, end: at + 1 }
  }
  return undefined
}

function sized(bytes: Buffer, start: number): Read<Buffer> | undefined {
  const length = varint(bytes, start)
  if (length === undefined) return undefined
  const end = length.end + Number(length.value)
  return end > bytes.length ? undefined : { value: bytes.subarray(length.end, end), end }
}

function fixed(bytes: Buffer, start: number, kind: number): Read<Buffer> | undefined {
  const end = start + (kind === 1 ? 8 : 4)
  return (kind === 1 || kind === 5) && end <= bytes.length ? { value: bytes.subarray(start, end), end } : undefined
}
