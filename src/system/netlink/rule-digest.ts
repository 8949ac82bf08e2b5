import { HEADER } from './nfnetlink.ts'

// Rules as the kernel lists them → a number that is another where any of them does anything else. Counters and handles do not
// count. It is asked of a hundred thousand chains at a time, so bytes are taken four at a time, where they stand.

const EXPRESSIONS = 4
const COMPAT = 5
const USER_DATA = 7
const TYPE_BITS = 0x3fff
const ATTRIBUTE_HEADER = 4

/** Two sums of 32 bits, mixed so that every bit of a word changes half the bits of both. */
export class RuleDigest {
  #a = 0x2c1b_3c6d
  #b = 0x297a_2d39
  #rules = 0

  get rules(): number {
    return this.#rules
  }

  /** A whole number that holds 53 bits. */
  get value(): number {
    const a = Math.imul(this.#a ^ (this.#a >>> 15), 0x735a_2d97)
    const b = Math.imul(this.#b ^ (this.#b >>> 13), 0xcaf6_49a9 | 0)
    return ((a ^ (b >>> 16)) >>> 0) * 2 ** 21 + ((b ^ (a >>> 15)) >>> 11)
  }

  /** The body of a message. */
  rule(body: Buffer): void {
    this.#rules++
    this.#word(0x656c_7572)
    for (let at = HEADER; at + ATTRIBUTE_HEADER <= body.length; at = after(body, at)) {
      const type = body.readUInt16LE(at + 2) & TYPE_BITS
      if (type === EXPRESSIONS) this.#expressions(body, at)
      else if (type === USER_DATA || type === COMPAT) this.#words(body, at, after(body, at))
    }
  }

  #expressions(body: Buffer, list: number): void {
    const end = list + body.readUInt16LE(list)
    for (let at = list + ATTRIBUTE_HEADER; at + ATTRIBUTE_HEADER <= end; at = after(body, at)) {
      const value = at + ATTRIBUTE_HEADER
      // Of a counter no more than that it is one.
      if (isCounter(body, value)) this.#words(body, value, value + COUNTER_BYTES)
      else this.#words(body, at, Math.min(after(body, at), end))
    }
  }

  /** What the kernel pads attributes with is zero. */
  #words(body: Buffer, from: number, to: number): void {
    this.#word(to - from)
    for (let at = from; at + 4 <= to; at += 4) this.#word(body.readInt32LE(at))
  }

  #word(word: number): void {
    const a = Math.imul(this.#a ^ word, 0x9e37_79b1 | 0)
    const b = Math.imul(this.#b ^ word ^ (a >>> 16), 0x85eb_ca6b | 0)
    this.#a = (a ^ (a >>> 15)) + b
    this.#b = (b << 13) | (b >>> 19)
  }
}

/** A name attribute with `counter` and its closing zero. */
const COUNTER_BYTES = 12
const COUN = Buffer.from('coun').readInt32LE()
const TER = Buffer.from('ter\0').readInt32LE()

function isCounter(body: Buffer, name: number): boolean {
  return (
    name + COUNTER_BYTES <= body.length &&
    body.readUInt16LE(name) === COUNTER_BYTES &&
    body.readInt32LE(name + 4) === COUN &&
    body.readInt32LE(name + 8) === TER
  )
}

function after(body: Buffer, at: number): number {
  return at + ((Math.max(body.readUInt16LE(at), ATTRIBUTE_HEADER) + 3) & ~3)
}
