// Values → DER (ITU-T X.690): as much of ASN.1 as a certificate is made of.

/** Of several values in a row. */
export function sequence(...items: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(items))
}

export function set(...items: readonly Buffer[]): Buffer {
  return element(0x31, Buffer.concat(items))
}

/** Big-endian bytes of a number that is not negative. */
export function integer(bytes: Buffer): Buffer {
  const at = bytes.findIndex(byte => byte !== 0)
  const short = at < 0 ? Buffer.from([0]) : bytes.subarray(at)
  // The first bit is the sign.
  return element(0x02, short[0]! < 0x80 ? short : Buffer.concat([Buffer.from([0]), short]))
}

/** `2.5.29.17` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

export function utf8(text: string): Buffer {
  return element(0x0c, Buffer.from(text, 'utf8'))
}

export function boolean(value: boolean): Buffer {
  return element(0x01, Buffer.from([value ? 0xff : 0]))
}

export function octets(bytes: Buffer): Buffer {
  return element(0x04, bytes)
}

/** Whole bytes, or with so many of the last bits unused. */
export function bits(bytes: Buffer, unused = 0): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([unused]), bytes]))
}

/** UTCTime until 2049 and GeneralizedTime after it, as RFC 5280 demands. */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]|\.\d+/g, '')
  return at.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : element(0x18, Buffer.from(digits, 'latin1'))
}

/** `[0]` around a value. */
export function explicit(tag: number, item: Buffer): Buffer {
  return element(0xa0 + tag, item)
}

/** `[2]` in place of the tag of a value that has no parts. */
export function implicit(tag: number, bytes: Buffer): Buffer {
  return element(0x80 + tag, bytes)
}

function element(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content])
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 + bytes.length, ...bytes]
}

function base128(value: number): readonly number[] {
  const bytes = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(128 + (rest % 128))
  return bytes
}
