import type { Settle } from './form.ts'
import type { Option } from './parts.ts'

// Byte patterns of `-m string` and tests of `-m u32` → the one spelling iptables prints.

/** Bytes that can be printed are a `--string`, others a `--hex-string`, whichever of the two they were given as. */
export const settleString: Settle = options => options.map(settlePattern)

function settlePattern(option: Option): Option {
  const [value = ''] = option.values
  if (option.name !== '--string' && option.name !== '--hex-string') return option
  const bytes = option.name === '--string' ? [...new TextEncoder().encode(value)] : hexPattern(value)
  if (bytes === undefined || bytes.length === 0) return option
  const printable = bytes.every(byte => byte >= 0x20 && byte < 0x7f) && bytes.at(-1) !== BACKSLASH
  if (printable) return { ...option, name: '--string', values: [String.fromCharCode(...bytes)] }
  const hex = bytes.map(byte => byte.toString(16).padStart(2, '0')).join('')
  return { ...option, name: '--hex-string', values: [`|${hex}|`] }
}

const BACKSLASH = 0x5c

/** `ab|0d 0a|c`: text with hexadecimal parts between bars; outside them a backslash escapes. */
function hexPattern(text: string): readonly number[] | undefined {
  const bytes: number[] = []
  for (const [i, part] of splitBars(text).entries()) {
    const hex = part.replaceAll(' ', '')
    if (i % 2 === 0) bytes.push(...new TextEncoder().encode(part.replace(/\\(.)/gs, '$1')))
    else if (/^([\da-f]{2})*$/i.test(hex))
      bytes.push(...(hex.match(/../g) ?? []).map(pair => Number.parseInt(pair, 16)))
    else return undefined
  }
  return bytes
}

function splitBars(text: string): readonly string[] {
  const parts = ['']
  for (const [token] of text.matchAll(/\\.|\||[^\\|]+|\\/gs)) {
    if (token === '|') parts.push('')
    else parts[parts.length - 1] += token
  }
  return parts
}

/** `6 & 0xFF = 17` → `0x6&0xff=0x11`. */
export function u32(value: string): string {
  return value.replace(/\s+/g, '').replace(/0x[\da-f]+|\d+/gi, digits => `0x${parse(digits).toString(16)}`)
}

function parse(digits: string): bigint {
  return /^0[0-7]+$/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits)
}
