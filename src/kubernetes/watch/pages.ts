import { type FieldsOf, fieldsOf, listOf, type Unproven, unproven } from '#kubernetes/decode/fields.ts'
import type { Attempt } from './attempt.ts'
import { Malformed } from './failures.ts'
import { itemOf } from './frames.ts'
import type { Picture } from './ledger.ts'
import { pathOf, type Resource } from './resources.ts'

// A list fetched page by page → a picture, and the version it shows.

/** A 410 on a later page means that the list took longer than the API server remembers: it has to begin anew. */
export async function pagedList(
  attempt: Attempt,
  { resource, pageSize }: { readonly resource: Resource; readonly pageSize: number },
  picture: Picture,
): Promise<string> {
  const limit = String(pageSize)
  for (let token = ''; ; ) {
    const path = pathOf(resource, token === '' ? { limit } : { limit, continue: token })
    const answer = await attempt.ask(path, { 'accept-encoding': 'gzip' })
    const { items, metadata } = parsedList(await attempt.text(answer))
    for (const item of items) picture.put(itemOf(item))
    const { resourceVersion, continue: next } = metadata
    if (typeof resourceVersion !== 'string' || resourceVersion === '') {
      throw new Malformed('a list without a resourceVersion')
    }
    if (typeof next !== 'string' || next === '') return resourceVersion
    if (next === token) throw new Malformed('a page of a list that is followed by itself')
    token = next
  }
}

/** As the API server writes it; in client-node's V1ListMeta, `continue` has another name. */
interface List {
  readonly items: readonly object[]
  readonly metadata: ListMeta
}

interface ListMeta {
  readonly resourceVersion: string
  readonly continue: string
}

function parsedList(text: string): { readonly items: readonly unknown[]; readonly metadata: FieldsOf<ListMeta> } {
  const list = fieldsOf(parsed(text))
  const metadata = fieldsOf(list.metadata)
  // Go writes an empty list that was never filled as null.
  if (list.items === null) return { items: [], metadata }
  const items = listOf(list.items)
  if (items === undefined) throw new Malformed(`a list without items: ${text.slice(0, 120)}`)
  return { items, metadata }
}

function parsed(text: string): Unproven<List> {
  try {
    return unproven<List>(JSON.parse(text))
  } catch {
    throw new Malformed(`a list that is not JSON: ${text.slice(0, 120)}`)
  }
}
