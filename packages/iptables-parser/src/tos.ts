import type { Settle } from './form.ts'
import { parseNumber } from './numbers.ts'

// The byte that asks routers for a kind of service: TOS and DSCP in any spelling → the hexadecimal one iptables prints.

const TOS: Readonly<Record<string, number>> = {
  'minimize-delay': 0x10,
  'maximize-throughput': 0x08,
  'maximize-reliability': 0x04,
  'minimize-cost': 0x02,
  'normal-service': 0x00,
}

/** `0x10` → `0x10/0xff`, `Minimize-Delay` → `0x10/0x3f`. */
export function tos(value: string): string {
  const named = TOS[value.toLowerCase()]
  const [bits, mask] = named === undefined ? value.split('/').map(parseNumber) : [named, 0x3f]
  return bits === undefined ? value : `${hex(bits)}/${hex(mask ?? 0xff)}`
}

/** How the kernel makes a new byte of the old one: `(tos & ~mask) ^ bits`. */
const AS_TOS: Readonly<Record<string, (bits: number) => readonly [bits: number, mask: number]>> = {
  '--and-tos': bits => [0, ~bits & 0xff],
  '--or-tos': bits => [bits, bits],
  '--xor-tos': bits => [bits, 0],
}

/** All the ways to set it → `--set-tos bits/mask`. */
export const settleTos: Settle = options =>
  options.map(option => {
    const bits = parseNumber(option.values[0] ?? '')
    const settled = bits === undefined ? undefined : AS_TOS[option.name]?.(bits)
    return settled === undefined ? option : { ...option, name: '--set-tos', values: [settled.map(hex).join('/')] }
  })

/** `46`, `EF` → `0x2e`. Class selectors are the old precedence bits; an AF class packs class and drop precedence. */
export function dscp(value: string): string {
  const upper = value.toUpperCase()
  const selector = /^CS([0-7])$/.exec(upper)
  if (selector !== null) return hex(Number(selector[1]) * 8)
  const assured = /^AF([1-4])([1-3])$/.exec(upper)
  if (assured !== null) return hex(Number(assured[1]) * 8 + Number(assured[2]) * 2)
  if (upper === 'EF') return '0x2e'
  const bits = upper === 'BE' ? 0 : parseNumber(value)
  return bits === undefined ? value : hex(bits)
}

function hex(bits: number): string {
  return `0x${bits.toString(16).padStart(2, '0')}`
}
