import type { ClusterObject, Kind } from '#kubernetes/objects.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { type ObjectName, parseObjectName, parsePortName } from '#values/names.ts'
import type { Protocol } from '#values/protocol.ts'

// Untrusted values → safe ones, and one line for each that was not. Shared by the decoders of the three kinds.

export type Decoded =
  | { readonly ok: true; readonly object: ClusterObject; readonly problems: readonly string[] }
  | {
      readonly ok: false
      readonly kind: string
      readonly name: ObjectName | undefined
      /** How the object may be named in a log: its name, or the text in its place, made harmless. */
      readonly label: string
      readonly problems: readonly string[]
    }

export type Fields = Readonly<Record<string, unknown>>

/** More lines about one object help nobody, and an object with ten thousand bad endpoints must not fill a log. */
const MOST_LINES = 20
const SHOWN_CHARACTERS = 80

export class Problems {
  readonly #lines: string[] = []
  #count = 0
  #fatal = false

  /** What was left out: `spec.externalIPs[1]`, `10.1.0.400`, `is not an IP address`. */
  add(path: string, value: unknown, wrong: string): void {
    this.tell(`${path}: ${shown(value)} ${wrong}`)
  }

  /** What makes the whole object unusable. */
  fail(path: string, value: unknown, wrong: string): void {
    this.#fatal = true
    this.add(path, value, wrong)
  }

  tell(line: string): void {
    if (++this.#count <= MOST_LINES) this.#lines.push(line)
  }

  get fatal(): boolean {
    return this.#fatal
  }

  get lines(): readonly string[] {
    const more = this.#count - this.#lines.length
    return more > 0 ? [...this.#lines, `and ${more} more`] : this.#lines
  }
}

/** Any value as short printable ASCII: no text of a stranger may end a log line, or look like other text. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value !== 'string') return /^(number|boolean|bigint)$/.test(typeof value) ? String(value) : 'an object'
  const short = value.slice(0, SHOWN_CHARACTERS)
  const text = JSON.stringify(short).replace(
    /[^\x20-\x7e]/g,
    it => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return short === value ? text : `${text.slice(0, -1)}..."`
}

/** The fields of an object; none where there is no object. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : NO_FIELDS
}

/** The items of a list; absent and null are empty lists, anything else is a problem. */
export function itemsOf(value: unknown, path: string, problems: Problems): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (value !== undefined && value !== null) problems.add(path, value, 'is not a list')
  return NO_ITEMS
}

/** The same where the object makes no sense without the list. */
export function mustBeItems(value: unknown, path: string, problems: Problems): readonly unknown[] {
  if (value === undefined || value === null || Array.isArray(value)) return itemsOf(value, path, problems)
  problems.fail(path, value, 'is not a list')
  return NO_ITEMS
}

/** Text that is neither absent nor empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function addressAt(path: string, value: unknown, problems: Problems): Address | undefined {
  const address = parseAddress(value)
  if (address === undefined) problems.add(path, value, 'is not an IP address')
  return address
}

/** Absent is TCP, as the API server makes it. */
export function protocolOf(value: unknown): Protocol | undefined {
  if (value === undefined || value === null) return 'tcp'
  return typeof value === 'string' && Object.hasOwn(PROTOCOL, value) ? PROTOCOL[value] : undefined
}

/** A time as text or Date → milliseconds since the epoch. */
export function timeOf(value: unknown): number | undefined {
  const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}

/** The name of an object, or what is wrong with it. */
export function nameAt(kind: Kind, metadata: Fields, problems: Problems): ObjectName | undefined {
  const name = nameOf(kind, metadata)
  if (name !== undefined) return name
  const isNamespace = nameOf(kind, { name: metadata.name }) !== undefined
  if (isNamespace) problems.fail('metadata.namespace', metadata.namespace, 'is not a namespace')
  else
    problems.fail('metadata.name', metadata.name, `is not the name of ${kind === 'EndpointSlice' ? 'an' : 'a'} ${kind}`)
  return undefined
}

/** A Service or EndpointSlice without a namespace is in `default`, as kubectl would have it. */
export function nameOf(kind: Kind, { namespace, name }: Fields): ObjectName | undefined {
  if (kind === 'Node' || kind === 'ServiceCIDR') return parseObjectName(undefined, name)
  // The name of a Service is one label of 63 characters, as a port's: longer ones would not fit into a rule's comment.
  if (kind === 'Service' && parsePortName(name) === undefined) return undefined
  return parseObjectName(
    namespace === undefined || namespace === null || namespace === '' ? 'default' : namespace,
    name,
  )
}

/** Reported to the API server and compared, never more: what is no plain word is as good as none. */
export function uidOf({ uid }: Fields): string {
  return typeof uid === 'string' && /^[\w.:-]{1,128}$/.test(uid) ? uid : ''
}

/** What cannot be used: the object, because of a problem that was told. */
export function unusable(kind: string, metadata: Fields, problems: Problems): Decoded {
  const name = isWatched(kind) ? nameOf(kind, metadata) : undefined
  return { ok: false, kind, name, label: name ?? labelOf(metadata), problems: problems.lines }
}

const WATCHED: readonly Kind[] = ['Service', 'EndpointSlice', 'Node', 'ServiceCIDR']

function isWatched(kind: string): kind is Kind {
  return (WATCHED as readonly string[]).includes(kind)
}

function labelOf({ namespace, name }: Fields): string {
  return namespace === undefined || namespace === null ? shown(name) : `${shown(namespace)}/${shown(name)}`
}

const PROTOCOL: Readonly<Record<string, Protocol>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' }
const NO_FIELDS: Fields = Object.freeze({})
const NO_ITEMS: readonly unknown[] = Object.freeze([])
