import type { Settle } from './form.ts'
import { parseNumber } from './numbers.ts'
import type { Option } from './parts.ts'

// Marks: `16/0xF0` → `0x10/0xf0`, and all the ways to set one → `--set-xmark value/mask`.

const ALL = 0xffffffff

/** A mark to compare with; the mask is printed where it leaves something out. */
export function mark(value: string): string {
  const parsed = parseMark(value)
  if (parsed === undefined) return value
  return parsed.mask === ALL ? hex(parsed.value) : `${hex(parsed.value)}/${hex(parsed.mask)}`
}

/** A mark to set, always with its mask. */
export function markWithMask(value: string): string {
  const parsed = parseMark(value)
  return parsed === undefined ? value : `${hex(parsed.value)}/${hex(parsed.mask)}`
}

/** `--or-mark 4` → `--set-xmark 0x4/0x4`, and `--save-mark --mask 0xff` → both masks spelled out. */
export const settleMark: Settle = options => options.map(asXmark)

export const settleConnmark: Settle = options => {
  const moves = options.some(({ name }) => name === '--save-mark' || name === '--restore-mark')
  if (!moves) return options.map(asXmark)
  const masks = ['--nfmask', '--ctmask'].map(name => options.find(o => o.name === name) ?? sharedMask(options, name))
  return [...options.filter(({ name }) => !/^--(nf|ct)?mask$/.test(name)), ...masks]
}

function sharedMask(options: readonly Option[], name: string): Option {
  const values = options.find(option => option.name === '--mask')?.values ?? [hex(ALL)]
  return { name, values, negated: false }
}

/** The kernel computes `(mark & ~mask) ^ value`. */
const AS_XMARK: Readonly<Record<string, (value: number, mask: number) => readonly [number, number]>> = {
  '--set-mark': (value, mask) => [value, value | mask],
  '--and-mark': value => [0, ~value],
  '--or-mark': value => [value, value],
  '--xor-mark': value => [value, 0],
}

function asXmark(option: Option): Option {
  const parsed = parseMark(option.values[0] ?? '')
  const settled = parsed && AS_XMARK[option.name]?.(parsed.value, parsed.mask)
  if (settled === undefined) return option
  return { ...option, name: '--set-xmark', values: [settled.map(hex).join('/')] }
}

function parseMark(text: string): { readonly value: number; readonly mask: number } | undefined {
  const [valueText = '', maskText, ...more] = text.split('/')
  const value = parseNumber(valueText)
  const mask = maskText === undefined ? ALL : parseNumber(maskText)
  return value === undefined || mask === undefined || more.length > 0 ? undefined : { value, mask }
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`
}
