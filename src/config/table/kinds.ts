import { formatDuration, parseDuration } from '#values/duration.ts'
import {
  gatesFromFile,
  gatesFromText,
  gatesToFile,
  vmoduleFromFile,
  vmoduleFromText,
  vmoduleToFile,
} from './pair-lists.ts'

// One kind of value ⇄ its text on the command line and its form in the file.

/** Durations are milliseconds; maps are lists of `name=value`. */
export type Value = string | number | boolean | readonly string[]

export interface Kind {
  /** What stands after the flag in --help; empty for a switch. */
  readonly label: string
  /** Completes "… is wanted". */
  readonly wanted: string
  /** What the flag means when it stands alone. */
  readonly alone?: string
  /** Given several times, the values add up; otherwise the last one counts. */
  readonly adds?: true
  /** Nothing where the text is not of this kind. */
  fromText(text: string): Value | undefined
  fromFile(plain: unknown): Value | undefined
  toText(value: Value): string
  toFile(value: Value): unknown
}

const YES: readonly unknown[] = [true, 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'y', 'Y']
const NO: readonly unknown[] = [false, 'no', 'No', 'NO', 'off', 'Off', 'OFF', 'n', 'N']
const QUANTITY = /^[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/
const NANOSECONDS = 1e6

const text = {
  label: 'string',
  wanted: 'a string',
  fromText: (given: string) => given,
  fromFile: (plain: unknown) => (typeof plain === 'string' ? plain : undefined),
  toText: String,
  toFile: (value: Value): unknown => value,
} satisfies Kind

const duration = {
  ...text,
  label: 'duration',
  wanted: 'a duration such as "30s", "250ms" or "1h30m"',
  fromText: parseDuration,
  fromFile: (plain: unknown) => (plain === 0 ? 0 : typeof plain === 'string' ? parseDuration(plain) : undefined),
  toText: (value: Value) => formatDuration(value as number),
  toFile: (value: Value): unknown => formatDuration(value as number),
} satisfies Kind

const list = {
  ...text,
  label: 'strings',
  wanted: 'a list of strings',
  adds: true,
  fromText: commaList,
  fromFile: (plain: unknown) =>
    Array.isArray(plain) && plain.every(item => typeof item === 'string') ? plain : undefined,
  toText: (value: Value) => `[${(value as readonly string[]).join(',')}]`,
  // Go writes a list that was never filled in as null.
  toFile: (value: Value): unknown => ((value as readonly string[]).length === 0 ? null : value),
} satisfies Kind

const pairs = { ...list, adds: true, toText: (value: Value) => (value as readonly string[]).join(',') } satisfies Kind

export const KINDS = {
  text,
  path: { ...text, label: 'path', wanted: 'a path' },
  /** Whether it is one is for validation to say: an address may be left empty. */
  address: { ...text, label: 'ip', wanted: 'an IP address' },
  addressPort: { ...text, label: 'ip:port', wanted: 'an IP address and port' },
  duration,
  list,
  /** Go also reads and writes a bare number of nanoseconds here. */
  flush: {
    ...duration,
    fromFile: plain => (typeof plain === 'number' ? plain / NANOSECONDS : duration.fromFile(plain)),
  },
  switch: {
    ...text,
    label: '',
    wanted: 'true or false',
    alone: 'true',
    fromText: goBoolean,
    fromFile: plain => (YES.includes(plain) ? true : NO.includes(plain) ? false : undefined),
  },
  /** `--version`, `--version=raw`, `--version=v1.36.0` */
  version: { ...text, label: 'version', alone: 'true', fromText: versionWord, wanted: 'true, false, raw or v1.2.3' },
  int: wholeNumber({ least: -(2 ** 31), most: 2 ** 31 - 1, wanted: 'a whole number' }),
  count: wholeNumber({ least: 0, most: 2 ** 32 - 1, wanted: 'a whole number from 0' }),
  float: {
    ...text,
    label: 'float',
    wanted: 'a number',
    fromText: given => finite(given.trim() === '' ? Number.NaN : Number(given)),
    fromFile: plain => (typeof plain === 'number' ? finite(plain) : undefined),
  },
  quantity: {
    ...text,
    label: 'quantity',
    wanted: 'a quantity such as 0, "64Ki" or "1M"',
    fromText: given => (QUANTITY.test(given) ? given : undefined),
    fromFile: plain =>
      (typeof plain === 'string' || typeof plain === 'number') && QUANTITY.test(String(plain))
        ? String(plain)
        : undefined,
  },
  gates: {
    ...pairs,
    label: 'gate=bool,...',
    wanted: 'a map of gate names to true or false',
    fromText: gatesFromText,
    fromFile: gatesFromFile,
    toFile: value => gatesToFile(value as readonly string[]),
  },
  vmodule: {
    ...pairs,
    label: 'file=N,...',
    wanted: 'a list of file patterns with a verbosity each, such as "report=4"',
    fromText: vmoduleFromText,
    fromFile: vmoduleFromFile,
    toFile: value => vmoduleToFile(value as readonly string[]),
  },
} satisfies Record<string, Kind>

export type KindName = keyof typeof KINDS

export function isZero(value: Value): boolean {
  return value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0)
}

/** As Go's ParseInt reads it with base 0: signs, 0x, 0o, 0b and a leading 0 for octal. */
function wholeNumber({ least, most, wanted }: { least: number; most: number; wanted: string }): Kind {
  const within = (value: number) => (Number.isInteger(value) && value >= least && value <= most ? value : undefined)
  return {
    ...text,
    label: least < 0 ? 'int' : 'uint',
    wanted,
    fromText: given => {
      const match = /^([+-]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9]\d*|0)$/.exec(given)
      if (match === null) return undefined
      const digits = match[2]!.replace(/^0(?=\d)/, '0o')
      return within(match[1] === '-' ? -Number(digits) : Number(digits))
    },
    fromFile: plain => (typeof plain === 'number' ? within(plain) : undefined),
  }
}

function goBoolean(given: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(given)) return true
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(given) ? false : undefined
}

function versionWord(given: string): string | undefined {
  if (given === 'raw' || /^v\d+\.\d+\.\d+/.test(given)) return given
  return goBoolean(given)?.toString()
}

function commaList(given: string): readonly string[] {
  return given === '' ? [] : given.split(',').map(part => part.trim())
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
