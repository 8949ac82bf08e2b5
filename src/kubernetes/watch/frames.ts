import type { V1Status } from '@kubernetes/client-node'
import { type AnyObject, type FieldsOf, fieldsOf, unproven } from '#kubernetes/decode/fields.ts'
import { type ObjectName, parseObjectName } from '#values/names.ts'
import { Malformed, Refusal } from './failures.ts'

// The bytes of a watch → what each line says.

export interface Item {
  /** Absent where the name is not one that Kubernetes allows. */
  readonly name: ObjectName | undefined
  readonly resourceVersion: string
  /** uid and resourceVersion: two items with the same mark are the same. */
  readonly mark: string
  readonly raw: unknown
}

export type Frame =
  | { readonly type: 'put' | 'gone'; readonly item: Item }
  /** `ends` says that everything there was at the beginning has been sent. */
  | { readonly type: 'bookmark'; readonly resourceVersion: string; readonly ends?: 'list' }
  | { readonly type: 'error'; readonly refusal: Refusal }

const NEWLINE = 0x0a
const FRAME_TYPES: ReadonlyMap<unknown, 'put' | 'gone'> = new Map([
  ['ADDED', 'put'],
  ['MODIFIED', 'put'],
  ['DELETED', 'gone'],
])

/** Chunks in, whole lines out. Split on the byte: other line separators may stand inside a JSON string. */
export class LineSplitter {
  readonly #limit: number
  #pieces: Buffer[] = []
  #pendingBytes = 0

  constructor(limitBytes: number) {
    this.#limit = limitBytes
  }

  *take(chunk: Buffer): Generator<string> {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#joined(chunk.subarray(start, end))
      start = end + 1
      if (line.trim() !== '') yield line
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#pendingBytes += piece.length
    if (this.#pendingBytes > this.#limit) throw new Malformed(`a line of more than ${this.#limit} bytes`)
  }

  #joined(last: Buffer): string {
    if (this.#pendingBytes === 0) return last.toString('utf8')
    const line = Buffer.concat([...this.#pieces, last]).toString('utf8')
    this.#pieces = []
    this.#pendingBytes = 0
    return line
  }
}

export function parseFrame(line: string): Frame {
  const { type, object } = parsedEvent(line)
  if (type === 'ERROR') return { type: 'error', refusal: statusRefusal(object) }
  const item = itemOf(object)
  if (item.resourceVersion === '') throw new Malformed(`an event without a resourceVersion: ${excerpt(line)}`)
  if (type === 'BOOKMARK') {
    const { resourceVersion } = item
    return { type: 'bookmark', resourceVersion, ...(endsList(object) ? { ends: 'list' as const } : {}) }
  }
  const known = FRAME_TYPES.get(type)
  if (known === undefined) throw new Malformed(`an event of unknown type ${JSON.stringify(type)}: ${excerpt(line)}`)
  return { type: known, item }
}

export function itemOf(raw: unknown): Item {
  const { namespace, name, uid, resourceVersion } = fieldsOf(fieldsOf(unproven<AnyObject>(raw)).metadata)
  const version = typeof resourceVersion === 'string' ? resourceVersion : ''
  return { name: parseObjectName(namespace, name), resourceVersion: version, mark: `${uid} ${version}`, raw }
}

/**
 * A Status object → the refusal it stands for. `answer` is the HTTP status it came with; without one it came in a
 * watch.
 */
export function statusRefusal(
  status: unknown,
  answer?: { readonly code: number; readonly retryAfterMs: number },
): Refusal {
  const { code, message, reason, details } = fieldsOf(unproven<V1Status>(status))
  const seconds = Number(fieldsOf(details).retryAfterSeconds ?? 0)
  const askedMs = seconds > 0 ? seconds * 1000 : 0
  const said = typeof message === 'string' ? message : typeof reason === 'string' ? reason : ''
  if (answer !== undefined) {
    return new Refusal({ said, via: 'status', ...answer, retryAfterMs: Math.max(answer.retryAfterMs, askedMs) })
  }
  return new Refusal({ code: typeof code === 'number' ? code : 500, said, via: 'event', retryAfterMs: askedMs })
}

/** As the API server writes each line of a watch; client-node has no type for it. */
interface WatchEvent {
  readonly type: string
  readonly object: AnyObject
}

function parsedEvent(line: string): FieldsOf<WatchEvent> {
  try {
    return fieldsOf(unproven<WatchEvent>(JSON.parse(line)))
  } catch {
    throw new Malformed(`a line that is not JSON: ${excerpt(line)}`)
  }
}

function endsList(object: FieldsOf<WatchEvent>['object']): boolean {
  const { annotations } = fieldsOf(fieldsOf(object).metadata)
  return fieldsOf(annotations)['k8s.io/initial-events-end'] === 'true'
}

function excerpt(line: string): string {
  return line.length > 120 ? `${line.slice(0, 120)}…` : line
}
