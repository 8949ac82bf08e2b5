import { itemText } from '#lab/api-server/object-text.ts'
import type { ApiObject, ApiStore, Snapshot } from '#lab/api-server/store.ts'
import { Refused } from '../answers.ts'
import { apiVersion, type Resource } from '../resources.ts'
import type { Matcher } from '../selectors.ts'
import { checkListOptions } from './list-options.ts'

// A list request → one page of the list at one resourceVersion; and objects and lists of them as JSON text.

export interface ListRequest {
  readonly resource: Resource
  readonly namespace: string | undefined
  readonly matches: Matcher
  readonly query: URLSearchParams
  /** Whether a selector was given: then the real server does not count how many objects remain. */
  readonly selective: boolean
}

/** Where the next page starts, and which state of the world it belongs to. */
interface Continue {
  readonly revision: number
  readonly after: string
}

export interface Page {
  readonly metadata: object
  readonly objects: readonly ApiObject[]
}

export function listPage(store: ApiStore, asked: ListRequest): Page {
  const { resource, query } = asked
  checkListOptions(query)
  const from = continuation(query.get('continue'))
  const revision = from?.revision ?? exactRevision(store, query)
  const snapshot = store.snapshot(resource, revision)
  if (snapshot === undefined) throw expired(from === undefined ? 'list' : 'continue')
  const found = selected(snapshot, asked, from?.after)
  const limit = query.get('resourceVersion') === '0' ? 0 : Number(query.get('limit') ?? 0)
  const page = limit > 0 ? found.slice(0, limit) : found
  const more = found.length - page.length
  const metadata = {
    resourceVersion: String(revision),
    ...(more > 0 && { continue: token({ revision, after: page.at(-1)!.key }) }),
    ...(more > 0 && !asked.selective && { remainingItemCount: more }),
  }
  return { metadata, objects: page.map(({ object }) => object) }
}

export function listText(resource: Resource, metadata: object, items: readonly ApiObject[]): string {
  const head = { kind: `${resource.kind}List`, apiVersion: apiVersion(resource), metadata }
  return `${JSON.stringify(head).slice(0, -1)},"items":[${items.map(itemText).join(',')}]}`
}

/** What a request is about, in the order of lists. */
export function selected(
  { keys, shelf }: Snapshot,
  { namespace, matches }: Pick<ListRequest, 'namespace' | 'matches'>,
  after?: string,
): readonly { readonly key: string; readonly object: ApiObject }[] {
  const found: { key: string; object: ApiObject }[] = []
  for (const key of keys) {
    if (after !== undefined && key <= after) continue
    const object = shelf.get(key)!
    if ((namespace === undefined || object.metadata.namespace === namespace) && matches(object)) {
      found.push({ key, object })
    }
  }
  return found
}

/** The revision of a list: the newest, unless an exact one was asked for. */
function exactRevision(store: ApiStore, query: URLSearchParams): number {
  const asked = revisionNumber(query.get('resourceVersion'))
  if (asked > store.revision) throw tooLarge(asked, store.revision)
  return query.get('resourceVersionMatch') === 'Exact' && asked > 0 ? asked : store.revision
}

/** `resourceVersion` of a query; absent counts as 0. */
export function revisionNumber(text: string | null): number {
  if (text === null || text === '') return 0
  if (!/^\d{1,15}$/.test(text)) throw new Refused(400, `resourceVersion: Invalid value: ${JSON.stringify(text)}`)
  return Number(text)
}

export function tooLarge(asked: number, current: number): Refused {
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`
  return new Refused(504, message, { retryAfterSeconds: 1 })
}

export function expired(what: 'continue' | 'list'): Refused {
  if (what === 'list') return new Refused(410, 'The resourceVersion for the provided list is too old.')
  const message = 'The provided continue parameter is too old to display a consistent list result.'
  return new Refused(410, `${message} You can start a new list without the continue parameter.`)
}

function token(from: Continue): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: from.revision, start: from.after })).toString(
    'base64url',
  )
}

function continuation(text: string | null): Continue | undefined {
  if (text === null || text === '') return undefined
  try {
    const { rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Record<string, unknown>
    if (typeof rv === 'number' && typeof start === 'string') return { revision: rv, after: start }
  } catch {
    // said below: the client sent something that was never given to it
  }
  throw new Refused(400, 'continue key is not valid')
}
