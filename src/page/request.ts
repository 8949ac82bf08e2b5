import type { Html } from './html/html.ts'
import type { FollowedSource } from './views/followed.ts'
import type { PageSources } from './views/sources.ts'

// What every page of the house is given, and what it gives.

export interface PageAsked {
  readonly path: string
  readonly query: URLSearchParams
  /** What the path of the page leaves open: `shop/cart`. */
  readonly rest: string
}

/** A stretch of a page with an id of its own; the browser may get it anew alone. */
export interface PagePart {
  readonly id: string
  readonly body: Html
}

export interface PageContent {
  readonly title: string
  readonly status?: 404
  /** Stands above the parts, and stays as it is while they change. */
  readonly intro?: Html
  readonly parts: readonly PagePart[]
}

export interface PageKind {
  /** `/page/services`; with a `/` at its end, all that begins so. */
  readonly path: string
  /** In the navigation; absent where the page is reached from another. */
  readonly label?: string
  /** False where this program has nothing to show there. */
  readonly isThere: (sources: PageSources) => boolean
  /** What it shows that may change. */
  readonly follows: (sources: PageSources) => readonly (FollowedSource | undefined)[]
  readonly content: (sources: PageSources, asked: PageAsked) => PageContent | Promise<PageContent>
}
