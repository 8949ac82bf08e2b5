import { isNode, LineCounter, parseAllDocuments } from 'yaml'
import { shown } from '#kubernetes/decode/checks.ts'
import { decode, decodeAs, groupOf, isKind, KINDS, nameIn } from '#kubernetes/decode/decode.ts'
import { type AnyObject, type FieldsOf, fieldsOf, isObject, unproven } from '#kubernetes/decode/fields.ts'
import { type Event, putOf, type Source } from '#kubernetes/event.ts'
import type { ObjectKind } from '#kubernetes/objects.ts'

// YAML or JSON text, as kubectl reads and prints it → events: a cluster that is written down.

export interface InputText {
  /** The file's name, for messages. */
  readonly name: string
  readonly text: string
}

/** The text is not YAML: nothing of it can be trusted, so nothing is used. */
export class InputError extends Error {
  readonly file: string
  readonly line: number
  readonly column: number

  constructor(file: string, { line, col }: { readonly line: number; readonly col: number }, wrong: string) {
    super(`${file}:${line}:${col}: ${wrong}`)
    this.name = 'InputError'
    this.file = file
    this.line = line
    this.column = col
  }
}

/** Everything the texts say, in their order, then that this was all. Throws an InputError where a text is not YAML. */
export function documents(texts: readonly InputText[]): readonly Event[] {
  const found = texts.flatMap(text => parsed(text).flatMap(document => objects(document)))
  const events = found.flatMap(eventsOf)
  const synced = KINDS.map(kind => ({ type: 'synced', kind }) as const)
  return [...events, ...endpointsWithoutSlices(found), ...synced]
}

/** An object as it stands in a text, and the kind it says or its list says. */
export interface WrittenObject {
  readonly kind: string
  readonly raw: object
}

/** Every object of the texts, of any kind and whatever is wrong with it. Throws as `documents` does. */
export function writtenObjects(texts: readonly InputText[]): readonly WrittenObject[] {
  const found = texts.flatMap(text => parsed(text).flatMap(document => objects(document)))
  return found.flatMap(one => {
    const kind = fieldsIn(one).kind ?? one.kind
    return typeof kind === 'string' && isObject(one.raw) ? [{ kind, raw: one.raw }] : []
  })
}

export function fileSource(texts: readonly InputText[]): Source {
  return async function* (signal) {
    for (const event of documents(texts)) {
      if (signal.aborted) return
      yield event
    }
  }
}

/** A value of a text, and where it stands. */
interface Found {
  readonly raw: unknown
  readonly where: string
  /** What it is by the list it is in, if that says so. */
  readonly kind?: string
  /** Where the n-th item stands, if this is a list. */
  readonly item: (n: number) => string
}

function parsed({ name, text }: InputText): readonly Found[] {
  const bare = text.replace(/^\uFEFF/, '')
  return parsedJson(name, bare) ?? parsedYaml(name, bare)
}

/**
 * What kubectl prints for a large cluster is JSON, and JSON.parse is many times faster; errors are YAML's to explain.
 */
function parsedJson(name: string, text: string): readonly Found[] | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return [{ raw: JSON.parse(text), where: name, item: n => `${name}: items[${n}]` }]
  } catch {
    return undefined
  }
}

function parsedYaml(name: string, text: string): readonly Found[] {
  const lineCounter = new LineCounter()
  const parsedDocuments = [...parseAllDocuments(text, { lineCounter, merge: true, prettyErrors: false })]
  const line = (offset: number) => `${name}:${lineCounter.linePos(offset).line}`
  return parsedDocuments.map(document => {
    const [error] = document.errors
    if (error !== undefined) throw new InputError(name, lineCounter.linePos(error.pos[0]), error.message)
    const start = document.contents?.range?.[0] ?? 0
    try {
      return {
        raw: document.toJS(),
        where: line(start),
        item: n => line(offsetOf(document.getIn(['items', n], true)) ?? start),
      }
    } catch (cause) {
      // Too many aliases of aliases: a small text that would expand without bound.
      throw new InputError(name, lineCounter.linePos(start), (cause as Error).message)
    }
  })
}

function offsetOf(item: unknown): number | undefined {
  return isNode(item) ? item.range?.[0] : undefined
}

function fieldsIn({ raw }: Pick<Found, 'raw'>): FieldsOf<AnyObject> {
  return fieldsOf(unproven<AnyObject>(raw))
}

/** Deeper than anything kubectl writes; a list may contain itself through an alias. */
const DEEPEST_LIST = 4

/** A document is an object or a list of them; the items of a ServiceList need not say that they are Services. */
function objects(found: Found, depth = 0): readonly Found[] {
  const { kind, items } = fieldsIn(found)
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items) || depth === DEEPEST_LIST)
    return [found]
  const itemKind = kind.slice(0, -'List'.length)
  return items.flatMap((raw, n) => {
    const where = found.item(n)
    return objects({ raw, where, item: () => where, ...(itemKind !== '' && { kind: itemKind }) }, depth + 1)
  })
}

function eventsOf(found: Found): readonly Event[] {
  const { raw, where } = found
  if (raw === null || raw === undefined) return []
  const fields = fieldsIn(found)
  const kind = fields.kind ?? found.kind
  if (typeof kind !== 'string') return [unknownObject(found)]
  if (!isKind(kind) || isOtherGroup(kind, fields) || isUnwatched(kind, fields)) return []
  const decoded = fields.kind === undefined ? decodeAs(kind, raw) : decode(raw)
  const at = (line: string) => `${where}: ${line}`
  const problems = decoded.problems.map(at)
  const events: Event[] = problems.length === 0 ? [] : [{ type: 'problem', kind, name: nameIn(decoded), problems }]
  if (decoded.ok) events.push(putOf(decoded.object, decoded.warnings.map(at)))
  else if (decoded.name !== undefined) events.push({ type: 'gone', kind, name: decoded.name })
  return events
}

function unknownObject(found: Found): Event {
  const { kind, metadata } = fieldsIn(found)
  const wrong = isObject(found.raw)
    ? `kind: ${shown(kind)} is not the kind of an object`
    : `${shown(found.raw)} is not an object`
  const problems = [`${found.where}: ${wrong}`]
  return { type: 'problem', kind: 'document', name: shown(fieldsOf(metadata).name), problems }
}

/** Other API groups have a kind `Service`, too: what is not of Kubernetes' own groups is left alone. */
function isOtherGroup(kind: ObjectKind, { apiVersion }: FieldsOf<AnyObject>): boolean {
  if (typeof apiVersion !== 'string') return false
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return group !== groupOf(kind)
}

/** What the API server is not even asked for: other proxies' Services, and slices of headless ones. */
function isUnwatched(kind: ObjectKind, { metadata }: FieldsOf<AnyObject>): boolean {
  const labels = fieldsOf(fieldsOf(metadata).labels)
  if (kind === 'Service') return Object.hasOwn(labels, 'service.kubernetes.io/service-proxy-name')
  return kind === 'EndpointSlice' && Object.hasOwn(labels, 'service.kubernetes.io/headless')
}

/**
 * Endpoints are the old form, and no controller makes slices of them here: without a word, Services would seem to have
 * no pods.
 */
function endpointsWithoutSlices(found: readonly Found[]): readonly Event[] {
  const kindOf = (it: Found) => fieldsIn(it).kind ?? it.kind
  const first = found.find(it => kindOf(it) === 'Endpoints')
  if (first === undefined || found.some(it => kindOf(it) === 'EndpointSlice')) return []
  const { name } = fieldsOf(fieldsIn(first).metadata)
  const line = `${first.where}: Endpoints are not read: traffic follows EndpointSlices, and there are none`
  return [{ type: 'problem', kind: 'Endpoints', name: shown(name), problems: [line] }]
}
