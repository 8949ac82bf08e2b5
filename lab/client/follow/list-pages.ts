import type { Selection } from '../cluster-client.ts'
import { type Kind, pathTo } from '../kinds.ts'
import type { ApiObject } from '../objects.ts'

// A list, page by page → all of its objects, and the version they show.

export interface WholeList<T> {
  readonly items: readonly T[]
  readonly resourceVersion: string
}

interface Page {
  readonly items: readonly ApiObject[] | null
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
}

const PAGE_SIZE = 500

export class ListPages {
  /** Rejects with an ApiRefused where the answer is no success. */
  readonly #get: (path: string) => Promise<unknown>

  constructor(get: (path: string) => Promise<unknown>) {
    this.#get = get
  }

  async all<T extends ApiObject>(kind: Kind, selection: Selection): Promise<WholeList<T>> {
    const items: T[] = []
    for (let token = ''; ; ) {
      const query = { limit: String(PAGE_SIZE), ...(token !== '' && { continue: token }) }
      const page = (await this.#get(queried(kind, selection, query))) as Page
      for (const item of page.items ?? []) items.push(identified(kind, item) as T)
      token = page.metadata.continue ?? ''
      if (token === '') return { items, resourceVersion: page.metadata.resourceVersion }
    }
  }
}

export function queried(kind: Kind, selection: Selection, query: Readonly<Record<string, string>>): string {
  const { namespace, labelSelector, fieldSelector } = selection
  const selectors = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) }
  const text = new URLSearchParams({ ...selectors, ...query }).toString()
  return text === '' ? pathTo(kind, namespace) : `${pathTo(kind, namespace)}?${text}`
}

/** The items of a list do not say what they are; who writes one back must. */
function identified({ apiVersion, kind }: Kind, item: ApiObject): ApiObject {
  return item.kind === undefined ? { apiVersion, kind, ...item } : item
}
