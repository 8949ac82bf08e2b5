import { fieldsOf, listOf, unproven } from './decode/fields.ts'
import type { ApiTransport } from './transport.ts'

// A path of the API server → all that is listed there, page by page. One look, no watch.

const PAGE = '500'

/** The status where it is not 200: absent kinds and rights are for the caller to judge. `partOf` keeps what is needed of an item. */
export async function listAll<T>(
  transport: Pick<ApiTransport, 'get'>,
  { path, query = {}, signal }: ListRequest,
  partOf: (item: unknown) => T,
): Promise<readonly T[] | number> {
  const found: T[] = []
  for (let token = ''; ; ) {
    const words = new URLSearchParams({ ...query, limit: PAGE, ...(token !== '' && { continue: token }) })
    const { status, body } = await transport.get({ path: `${path}?${words}`, signal })
    const text = await body.text()
    if (status !== 200) return status
    const { items, next } = pageOf(text, path)
    for (const item of items) found.push(partOf(item))
    if (next === '') return found
    if (next === token) throw new Error(`the API server lists a page of ${path} that is followed by itself`)
    token = next
  }
}

/** Half a list would leave out what is there. */
function pageOf(text: string, path: string): { readonly items: readonly unknown[]; readonly next: string } {
  const list = fieldsOf(unproven<ListPage>(parsed(text)))
  // Go writes an empty list that was never filled as null.
  const items = list.items === null ? [] : listOf(list.items)
  if (items === undefined) throw new Error(`the API server answered with no list of ${path}`)
  const { continue: next } = fieldsOf(list.metadata)
  return { items, next: typeof next === 'string' ? next : '' }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export interface ListRequest {
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

interface ListPage {
  readonly items: readonly object[]
  readonly metadata: { readonly continue: string }
}
