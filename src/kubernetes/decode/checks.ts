import type { V1ObjectMeta } from '@kubernetes/client-node'
import type { ClusterObject, ObjectKind } from '#kubernetes/objects.ts'
import { type ObjectName, parseObjectName, parsePortName } from '#values/names.ts'
import type { Protocol } from '#values/protocol.ts'
import { type Field, type FieldsOf, listOf, type Unproven } from './fields.ts'

// Untrusted values → safe ones, and one line for each that is not safe. Shared by the decoders of all kinds.

export type Decoded =
  | {
      readonly ok: true
      readonly object: ClusterObject
      /** What was left out. */
      readonly problems: readonly string[]
      /** What was kept, although it should be written otherwise. */
      readonly warnings: readonly string[]
    }
  | {
      readonly ok: false
      readonly kind: string
      readonly name: ObjectName | undefined
      /** How the object may be named in a log: its name, or the text in its place, made harmless. */
      readonly label: string
      readonly problems: readonly string[]
    }

export type Metadata = FieldsOf<V1ObjectMeta>

/** Twenty lines say enough about one object, and an object with ten thousand bad endpoints must not fill a log. */
const MOST_LINES = 20
const SHOWN_CHARACTERS = 80

/** What is wrong with one object, gathered while it is decoded. */
export class Problems {
  readonly #problems = new Lines()
  readonly #warnings = new Lines()
  #fatal = false

  /** What was left out: `spec.externalIPs[1]`, `10.1.0.400`, `is not an IP address`. */
  add(path: string, value: unknown, wrong: string): void {
    this.line(`${path}: ${shown(value)} ${wrong}`)
  }

  /** What makes the whole object unusable. */
  fail(path: string, value: unknown, wrong: string): void {
    this.#fatal = true
    this.add(path, value, wrong)
  }

  line(line: string): void {
    this.#problems.add(line)
  }

  /** What was read as kube-proxy reads it, and as other programs do not. */
  warn(path: string, value: unknown, readAs: string): void {
    this.#warnings.add(`${path}: ${shown(value)} has leading zeros; it is read as ${readAs}`)
  }

  get fatal(): boolean {
    return this.#fatal
  }

  get lines(): readonly string[] {
    return this.#problems.all
  }

  get warnings(): readonly string[] {
    return this.#warnings.all
  }
}

class Lines {
  readonly #kept: string[] = []
  #count = 0

  add(line: string): void {
    if (++this.#count <= MOST_LINES) this.#kept.push(line)
  }

  get all(): readonly string[] {
    const more = this.#count - this.#kept.length
    return more > 0 ? [...this.#kept, `and ${more} more`] : this.#kept
  }
}

/** Any value as short printable ASCII: no text out of an object may end a log line, or look like other text. */
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

type List<T> = Unproven<readonly T[]> | undefined

/** The items of a list; absent and null are empty lists, anything else is a problem. */
export function itemsOf<T>(value: List<T>, path: string, problems: Problems): readonly Field<T>[] {
  const items = listOf(value)
  if (items === undefined && isGiven(value)) problems.add(path, value, 'is not a list')
  return items ?? NO_ITEMS
}

/** The same where the object makes no sense without the list. */
export function mustBeItems<T>(value: List<T>, path: string, problems: Problems): readonly Field<T>[] {
  const items = listOf(value)
  if (items === undefined && isGiven(value)) problems.fail(path, value, 'is not a list')
  return items ?? NO_ITEMS
}

/** In Kubernetes null means the same as an absent field. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** Text that is neither absent nor empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
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
export function nameAt(kind: ObjectKind, metadata: Metadata, problems: Problems): ObjectName | undefined {
  const name = nameOf(kind, metadata)
  if (name !== undefined) return name
  const isNamespace = nameOf(kind, { name: metadata.name }) !== undefined
  if (isNamespace) problems.fail('metadata.namespace', metadata.namespace, 'is not a namespace')
  else
    problems.fail('metadata.name', metadata.name, `is not the name of ${kind === 'EndpointSlice' ? 'an' : 'a'} ${kind}`)
  return undefined
}

/** A Service or EndpointSlice without a namespace is in `default`, as kubectl would have it. */
export function nameOf(kind: ObjectKind, { namespace, name }: Metadata): ObjectName | undefined {
  if (kind === 'Node' || kind === 'ServiceCIDR') return parseObjectName(undefined, name)
  // The name of a Service is one label of 63 characters, as a port's: longer ones would not fit into a rule's comment.
  if (kind === 'Service' && parsePortName(name) === undefined) return undefined
  return parseObjectName(
    namespace === undefined || namespace === null || namespace === '' ? 'default' : namespace,
    name,
  )
}

/** Reported to the API server and compared, never more: what is no plain word is as good as none. */
export function uidOf({ uid }: Metadata): string {
  return typeof uid === 'string' && /^[\w.:-]{1,128}$/.test(uid) ? uid : ''
}

export function usable(object: ClusterObject, { lines, warnings }: Problems): Decoded {
  return { ok: true, object, problems: lines, warnings }
}

/** What cannot be used: the object, because of a problem that its lines name. */
export function unusable(kind: string, metadata: Metadata, problems: Problems): Decoded {
  const name = isWatched(kind) ? nameOf(kind, metadata) : undefined
  return { ok: false, kind, name, label: name ?? labelOf(metadata), problems: problems.lines }
}

const WATCHED: readonly ObjectKind[] = ['Service', 'EndpointSlice', 'Node', 'ServiceCIDR']

function isWatched(kind: string): kind is ObjectKind {
  return (WATCHED as readonly string[]).includes(kind)
}

function labelOf({ namespace, name }: Metadata): string {
  return namespace === undefined || namespace === null ? shown(name) : `${shown(namespace)}/${shown(name)}`
}

const PROTOCOL: Readonly<Record<string, Protocol>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' }
const NO_ITEMS: readonly never[] = Object.freeze([])
