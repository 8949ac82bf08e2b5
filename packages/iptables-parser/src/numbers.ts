import type { Around, Say } from './form.ts'

// Numbers, ranges, ports, probabilities → the digits iptables prints. A name, as of a port or a user, stays as it is.

/** `0x10` → `16`. */
export function number(value: string): string {
  return /^0x[\da-f]+$/i.test(value) ? BigInt(value).toString() : value
}

/** `80:80` → `80`, `:80` → `0:80`, `80:` → `80:65535`. */
export function rangeTo(max: number): Say {
  return value => {
    const match = /^(\w*):(\w*)$/.exec(value)
    if (match === null) return number(value)
    const from = number(match[1] || '0')
    const to = number(match[2] || String(max))
    return from === to ? from : `${from}:${to}`
  }
}

export const portRange = rangeTo(65535)

/** `22,80:90`. */
export function ports(value: string, around: Around): string {
  return value
    .split(',')
    .map(one => portRange(one, around))
    .join(',')
}

/** `5-5` → `5`, as users and groups are written. */
export function dashedRange(value: string): string {
  const [from, to, ...more] = value.split('-')
  return to === from && more.length === 0 ? number(value.slice(0, value.indexOf('-'))) : number(value)
}

/** The kernel keeps a probability in steps of 1/2³¹; iptables prints the step it took with eleven digits. */
export function probability(value: string): string {
  const wanted = /^[\d.]+(e[-+]?\d+)?$/i.test(value) ? Number(value) : Number.NaN
  if (!(wanted >= 0 && wanted <= 1)) return value
  const digits = elevenDigits(Math.floor(wanted * 2 ** 31 + 0.5)).padStart(12, '0')
  return `${digits.slice(0, -11)}.${digits.slice(-11)}`
}

/** steps/2³¹ as a count of 10⁻¹¹. Halves go to the even neighbour, as in C and unlike toFixed: 1/4096 ends in …062. */
function elevenDigits(steps: number): string {
  const scaled = BigInt(steps) * 10n ** 11n
  const floor = scaled >> 31n
  const rest = scaled & 0x7fffffffn
  const up = rest > 0x40000000n || (rest === 0x40000000n && floor % 2n === 1n)
  return String(up ? floor + 1n : floor)
}

/** `46` → `0x2e`, with at least that many digits. */
export function hexWith(digits: number): Say {
  return value => {
    const parsed = parseNumber(value)
    return parsed === undefined ? value : `0x${parsed.toString(16).padStart(digits, '0')}`
  }
}

/** A 32-bit number, decimal, hexadecimal or (with a leading 0) octal, as C reads it. */
export function parseNumber(text: string): number | undefined {
  const value = /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : /^(\d+|0x[\da-f]+)$/i.test(text) ? Number(text) : -1
  return value >= 0 && value <= 0xffffffff ? value : undefined
}

/** Minor and major number of a traffic class: `1:10` → `0001:0010`. */
export function trafficClass(value: string): string {
  const match = /^([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(value)
  return match === null ? value : `${match[1]!.padStart(4, '0')}:${match[2]!.padStart(4, '0')}`.toLowerCase()
}
