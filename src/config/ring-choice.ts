import { type Cidr, cidrFamily, prefixLength } from '#values/cidr.ts'
import { configuredCidr } from './addresses.ts'

// Text → the range of a ring, and by whom it is made.

export type RingInitChoice =
  /** Absent: as many as there are Nodes. */
  | { readonly mode: 'consensus'; readonly peers?: number }
  | { readonly mode: 'seed'; readonly names: readonly string[] }
  | { readonly mode: 'observer' }

/** As many as one object of a mebibyte has room for. */
const MOST_PEERS = 10_000

export function ringInit(text: string): RingInitChoice | undefined {
  const [mode, value = ''] = text.split(/=(.*)/s) as [string, string | undefined]
  if (text === '' || text === 'consensus') return { mode: 'consensus' }
  if (text === 'observer') return { mode: 'observer' }
  if (mode === 'consensus' && /^[1-9]\d{0,4}$/.test(value) && Number(value) <= MOST_PEERS) {
    return { mode: 'consensus', peers: Number(value) }
  }
  const names = value.split(',').map(name => name.trim())
  return mode === 'seed' && !names.includes('') ? { mode: 'seed', names } : undefined
}

export function ringRange(text: string): Cidr | undefined {
  const cidr = configuredCidr(text)
  return cidr !== undefined && cidrFamily(cidr) === 'ipv4' && prefixLength(cidr) <= 30 ? cidr : undefined
}
