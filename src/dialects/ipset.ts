import type { Command } from '#system/ports.ts'
import { type Address, parseAddress } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { Protocol } from '#values/protocol.ts'
import { inputOf, PATIENCE_MS } from './lines.ts'

// The words of ipset: entries as `ipset save` prints them, the lines `ipset restore` takes, and its listing read back.

/** `10.96.0.10,tcp:80` */
export function ipPortEntry(ip: Address, protocol: Protocol, port: number): string {
  return `${ip},${protocol}:${port}`
}

/** `10.1.0.4,tcp:8080,10.1.0.4`; a range that holds one address is printed as that address. */
export function ipPortSourceEntry(ipPort: string, source: Address | Cidr): string {
  return `${ipPort},${source.replace(/^([\d.]+)\/32$|^([\da-f:.]+)\/128$/, '$1$2')}`
}

/** While a set is listed, the kernel refuses to swap or destroy it: a run of ipset waits for the one before. */
const IN_TURN = { alone: 'ipset' }

export const SAVE_SETS: Command = { does: 'other', argv: ['ipset', 'save'], ...IN_TURN }
export const LIST_SET_NAMES: Command = { does: 'other', argv: ['ipset', 'list', '-name'], ...IN_TURN }

/** `-exist`: what is there already, or gone already, is no reason to stop half way. */
export function restoreSets(lines: readonly string[]): Command {
  return {
    does: 'write',
    argv: ['ipset', '-exist', 'restore'],
    input: inputOf(lines),
    timeoutMs: PATIENCE_MS,
    ...IN_TURN,
  }
}

/** In one process, which stops at the first set that is not there or that a rule still uses. */
export function destroySets(names: readonly string[]): Command {
  return { does: 'write', argv: ['ipset', 'restore'], input: inputOf(names.map(destroyLine)), ...IN_TURN }
}

export function destroySet(name: string): Command {
  return { does: 'write', argv: ['ipset', 'destroy', name], ...IN_TURN }
}

/** What we say of a set when we make it: type and limits, without what the kernel chooses or changes itself. */
export type SetSpec = string

export function createLine(name: string, spec: SetSpec): string {
  return `create ${name} ${spec}`
}

export function addLine(name: string, entry: string): string {
  return `add ${name} ${entry}`
}

export function destroyLine(name: string): string {
  return `destroy ${name}`
}

export function deleteLine(name: string, entry: string): string {
  return `del ${name} ${entry}`
}

export interface SavedSet {
  readonly spec: SetSpec
  readonly members: readonly SavedMember[]
}

export interface SavedMember {
  readonly entry: string
  /** Set where the kernel will forget the member by itself. */
  readonly expires: boolean
}

/** The sets whose names `isWanted` takes; those of other programs can be large. */
export function savedSets(listing: string, isWanted: (name: string) => boolean): ReadonlyMap<string, SavedSet> {
  const found = new Map<string, { spec: SetSpec; members: SavedMember[] }>()
  for (const line of listing.split('\n')) {
    const [verb, name, ...rest] = line.split(' ')
    if (name === undefined || !isWanted(name)) continue
    if (verb === 'create') found.set(name, { spec: specOf(rest), members: [] })
    const set = found.get(name)
    if (verb === 'add') set?.members.push(memberOf(rest, set.spec))
  }
  return found
}

/** Grows by itself, or is chosen at random. */
const KERNELS_OWN: readonly string[] = ['hashsize', 'bucketsize', 'initval']

function specOf(words: readonly string[]): SetSpec {
  return words.filter((word, i) => !KERNELS_OWN.includes(word) && !KERNELS_OWN.includes(words[i - 1] ?? '')).join(' ')
}

function memberOf([entry = '', ...options]: readonly string[], spec: SetSpec): SavedMember {
  const timeout = options.indexOf('timeout')
  const expires = timeout >= 0 && options[timeout + 1] !== '0'
  return { entry: spec.includes(' family inet6 ') ? canonicalEntry(entry) : entry, expires }
}

/** ipset writes some IPv6 addresses with an IPv4 address at the end; we write none so. */
function canonicalEntry(entry: string): string {
  return entry
    .split(',')
    .map(part => parseAddress(part) ?? part)
    .join(',')
}
