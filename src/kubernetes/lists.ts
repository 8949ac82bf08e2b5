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
    const { items, metadata } = JSON.parse(text) as ListPage
    // Go writes an empty list that was never filled as null.
    found.push(...(items ?? []).map(partOf))
    token = metadata?.continue ?? ''
    if (token === '') return found
  }
}

export interface ListRequest {
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

interface ListPage {
  readonly items?: readonly unknown[] | null
  readonly metadata?: { readonly continue?: string }
}
