import type { Attempt } from './attempt.ts'
import { Malformed } from './failures.ts'
import { fieldsOf, itemOf } from './frames.ts'
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
    const { resourceVersion, continue: next } = fieldsOf(metadata)
    if (typeof resourceVersion !== 'string' || resourceVersion === '') {
      throw new Malformed('a list without a resourceVersion')
    }
    if (typeof next !== 'string' || next === '') return resourceVersion
    token = next
  }
}

function parsedList(text: string): { readonly items: readonly unknown[]; readonly metadata: unknown } {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    throw new Malformed(`a list that is not JSON: ${text.slice(0, 120)}`)
  }
  const { items, metadata } = fieldsOf(list)
  // Go writes an empty list that was never filled as null.
  if (items === null) return { items: [], metadata }
  if (!Array.isArray(items)) throw new Malformed(`a list without items: ${text.slice(0, 120)}`)
  return { items, metadata }
}
