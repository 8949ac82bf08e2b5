// Address text ⇄ bytes, and masks of both spellings. The text is what the C library prints, which iptables uses.

/** 4 or 16 bytes. */
export type Bytes = readonly number[]

/** Undefined for what is no address, as a host name. */
export function parseIp(text: string): Bytes | undefined {
  return text.includes(':') ? parseIPv6(text) : parseIPv4(text)
}

export function showIp(bytes: Bytes): string {
  return bytes.length === 4 ? bytes.join('.') : showIPv6(bytes)
}

/** A mask of that many bits, or a dotted one; undefined if it fits no address of this length. */
export function parseMask(text: string, length: number): Bytes | undefined {
  if (/^\d+$/.test(text)) return Number(text) > length * 8 ? undefined : ones(Number(text), length)
  const mask = parseIp(text)
  return mask?.length === length ? mask : undefined
}

/** The mask of so many bits. */
export function ones(bits: number, length: number): Bytes {
  return (length === 4 ? MASKS_OF_4 : MASKS_OF_16)[bits]!
}

const MASKS_OF_4 = masksOf(4)
const MASKS_OF_16 = masksOf(16)

function masksOf(length: number): readonly Bytes[] {
  return Array.from({ length: length * 8 + 1 }, (_, bits) =>
    Array.from({ length }, (_, i) => 0xff & ~(0xff >> Math.min(8, Math.max(0, bits - i * 8)))),
  )
}

/** Undefined for a mask with holes. */
export function prefixLength(mask: Bytes): number | undefined {
  const bits = mask.reduce((sum, byte) => sum + BITS[byte]!, 0)
  return ones(bits, mask.length).every((byte, i) => byte === mask[i]) ? bits : undefined
}

const BITS = Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length)

const BYTE = '(0|[1-9]\\d{0,2})'
const IPV4 = new RegExp(`^${BYTE}\\.${BYTE}\\.${BYTE}\\.${BYTE}$`)

function parseIPv4(text: string): Bytes | undefined {
  const match = IPV4.exec(text)
  if (match === null) return undefined
  const bytes = [Number(match[1]), Number(match[2]), Number(match[3]), Number(match[4])]
  return bytes.some(byte => byte > 255) ? undefined : bytes
}

function parseIPv6(text: string): Bytes | undefined {
  if (/\..*:/.test(text)) return undefined
  const halves = text.split('::').map(half => (half === '' ? [] : half.split(':').flatMap(groupBytes)))
  const [front = [], back = []] = halves
  const gap = 16 - front.length - back.length
  const fits = halves.length === 2 ? gap > 0 : halves.length === 1 && gap === 0
  const bytes = [...front, ...Array<number>(fits ? gap : 0).fill(0), ...back]
  return fits && !bytes.some(Number.isNaN) ? bytes : undefined
}

function groupBytes(group: string): Bytes {
  if (!/^[\da-f]{1,4}$/i.test(group)) return parseIPv4(group) ?? [Number.NaN]
  const value = Number.parseInt(group, 16)
  return [value >> 8, value & 0xff]
}

function showIPv6(bytes: Bytes): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes[2 * i]! * 256 + bytes[2 * i + 1]!)
  const { start, length } = longestZeroRun(groups)
  // The C library still writes ::1.2.3.4 and ::ffff:1.2.3.4, where RFC 5952 leaves the choice.
  const dotted = start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff))
  const last = dotted ? [bytes.slice(12).join('.')] : groups.slice(6).map(hex)
  const texts = [...groups.slice(0, 6).map(hex), ...last]
  if (length < 2) return texts.join(':')
  return `${texts.slice(0, start).join(':')}::${texts.slice(start + length).join(':')}`
}

function hex(value: number): string {
  return value.toString(16)
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  groups.forEach((group, i) => {
    if (group !== 0) start = i + 1
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start }
  })
  return best
}
