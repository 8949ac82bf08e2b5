// Netlink messages ⇄ bytes: a header, the family's own header, then attributes, each padded to four bytes. Lengths and types
// are in the machine's byte order, which is little-endian wherever Node runs; integers of nfnetlink are big-endian.

export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** Behind the header: the family's own header and the attributes. */
  readonly body: Buffer
}

export const REQUEST = 1
export const ACK = 4
export const DUMP = 0x300
/** On an answer: what is listed changed meanwhile, so the list may be wrong. */
export const DUMP_INTERRUPTED = 0x10
export const ERROR = 2
export const DONE = 3

/** The kernel's error number in an ERROR or at the end of a list, which may have been given up on the way; 0 where there is none. */
export function errnoIn({ body }: Message): number {
  return body.length < 4 ? 0 : Math.max(0, -body.readInt32LE(0))
}

const HEADER = 16
const ATTRIBUTE_HEADER = 4
/** Of an attribute's type: nested, and byte order. */
const TYPE_BITS = 0x3fff

/** Every message of a datagram; the bytes stay where they are. */
export function* messagesIn(bytes: Buffer): Generator<Message> {
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(at)
    if (length < HEADER || at + length > bytes.length) return
    yield {
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      sequence: bytes.readUInt32LE(at + 8),
      body: bytes.subarray(at + HEADER, at + length),
    }
    at += padded(length)
  }
}

/** The attributes behind the family's own header of `from` bytes. */
export function* attributesIn(body: Buffer, from: number): Generator<readonly [type: number, value: Buffer]> {
  for (let at = from; at + ATTRIBUTE_HEADER <= body.length; ) {
    const length = body.readUInt16LE(at)
    if (length < ATTRIBUTE_HEADER || at + length > body.length) return
    yield [body.readUInt16LE(at + 2) & TYPE_BITS, body.subarray(at + ATTRIBUTE_HEADER, at + length)]
    at += padded(length)
  }
}

export interface MessageParts {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** The family's own header. */
  readonly header: Buffer
  readonly attributes?: readonly Buffer[]
}

export function message({ type, flags, sequence, header, attributes = [] }: MessageParts): Buffer {
  const head = Buffer.alloc(HEADER)
  const whole = Buffer.concat([head, header, ...attributes])
  whole.writeUInt32LE(whole.length, 0)
  whole.writeUInt16LE(type, 4)
  whole.writeUInt16LE(flags, 6)
  whole.writeUInt32LE(sequence, 8)
  return whole
}

export function attribute(type: number, value: Buffer): Buffer {
  const length = ATTRIBUTE_HEADER + value.length
  const bytes = Buffer.alloc(padded(length))
  bytes.writeUInt16LE(length, 0)
  bytes.writeUInt16LE(type, 2)
  value.copy(bytes, ATTRIBUTE_HEADER)
  return bytes
}

/** A text as the kernel wants it, with its closing zero. */
export function textAttribute(type: number, text: string): Buffer {
  return attribute(type, Buffer.from(`${text}\0`))
}

/** Without the closing zero. */
export function textOf(value: Buffer): string {
  const end = value.indexOf(0)
  return value.toString('latin1', 0, end < 0 ? value.length : end)
}

/** The same of a link, whose name may have letters of any script. */
export function linkNameOf(value: Buffer | undefined): string {
  const end = value?.indexOf(0) ?? 0
  return value?.toString('utf8', 0, end < 0 ? value.length : end) ?? ''
}

export function byteAttribute(type: number, value: number): Buffer {
  return attribute(type, Buffer.from([value]))
}

export function shortAttribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return attribute(type, bytes)
}

export function numberAttribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return attribute(type, bytes)
}

/** Attributes within an attribute. */
export function nest(type: number, attributes: readonly Buffer[]): Buffer {
  return attribute(type, Buffer.concat(attributes))
}

function padded(length: number): number {
  return (length + 3) & ~3
}
