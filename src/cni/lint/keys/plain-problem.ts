import { parsePrefix } from '#cni/protocol/shapes/decode-result.ts'
import { nearest } from '#config/table/nearest.ts'
import { familyOf, parseAddress } from '#values/address.ts'
import { parseCidr } from '#values/cidr.ts'
import type { Shape } from './shape.ts'

// A text, number or flag, and what it may be → what is wrong with it, with what would be right.

export type PlainShape = Exclude<Shape, { is: 'list' | 'object' | 'map' | 'anything' }>

export function plainProblem(value: unknown, shape: PlainShape): string | undefined {
  switch (shape.is) {
    case 'text':
      return textProblem(value, shape.among)
    case 'flag':
      return flagProblem(value)
    case 'switch':
      return typeof value === 'string' && /^(true|false)$/i.test(value) ? undefined : flagProblem(value)
    case 'number':
      return numberProblem(value, shape)
    case 'address':
      return value === '' || parseAddress(value) !== undefined ? undefined : addressProblem(value)
    case 'range':
      return parseCidr(value) === undefined ? rangeProblem(value) : undefined
    case 'prefix':
      return parsePrefix(value) === undefined
        ? 'is not an address with its prefix length, such as "10.22.0.5/16"'
        : undefined
  }
}

function textProblem(value: unknown, among?: readonly string[]): string | undefined {
  const word = typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
  if (word !== undefined && (among === undefined || among.includes(word)))
    return `is not a text; write ${JSON.stringify(word)}`
  if (word !== undefined) return textProblem(word, among)
  if (typeof value !== 'string') return 'is not a text in quotes'
  // Empty text is as good as absent, and some tools write all keys.
  if (among === undefined || value === '' || among.includes(value)) return undefined
  const meant = nearest(value, among)
  const known = among.map(word => JSON.stringify(word)).join(', ')
  return meant === undefined ? `is none of ${known}` : `is none of ${known}; did you mean ${JSON.stringify(meant)}?`
}

function flagProblem(value: unknown): string | undefined {
  if (typeof value === 'boolean') return undefined
  const word = typeof value === 'string' || typeof value === 'number' ? String(value).toLowerCase() : ''
  const meant = ['true', 'yes', 'on', '1'].includes(word)
    ? 'true'
    : ['false', 'no', 'off', '0'].includes(word)
      ? 'false'
      : undefined
  return `is not true or false; write ${meant ?? 'true or false'}, without quotes`
}

function numberProblem(value: unknown, { least, most }: Extract<Shape, { is: 'number' }>): string | undefined {
  const isRight = (number: unknown): boolean =>
    Number.isInteger(number) && Number(number) >= least && Number(number) <= most
  if (typeof value === 'string' && /^\d+$/.test(value) && isRight(Number(value)))
    return `is not a number; write ${Number(value)}, without quotes`
  if (isRight(value)) return undefined
  return `is not a whole number from ${least} to ${most}`
}

function addressProblem(value: unknown): string {
  const prefix = parsePrefix(value)
  if (prefix !== undefined) return `has a prefix length, and an address alone is wanted; write "${prefix.address}"`
  return 'is not an IP address, such as "10.22.0.1"'
}

function rangeProblem(value: unknown): string {
  if (value === 'default') return 'is not an address range; the default route is "0.0.0.0/0", or "::/0"'
  const address = parseAddress(value)
  if (address === '0.0.0.0' || address === '::') return `has no prefix length; the default route is "${address}/0"`
  if (address !== undefined)
    return `has no prefix length; write "${value}/${familyOf(address) === 'ipv4' ? 16 : 64}", or how long it is`
  return 'is not an address range, such as "10.22.0.0/16"'
}
