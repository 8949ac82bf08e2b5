import type { Clock } from '#system/ports.ts'
import type { HttpAnswer, HttpRequest } from '#system/sockets.ts'
import { ASSET_PATHS, assetAt } from './assets/assets.ts'
import { PAGE_HEADERS, plain, refusal } from './guard.ts'
import { html } from './html/html.ts'
import { layout } from './html/layout.ts'
import { livePage } from './live/live.ts'
import { type FoundPage, kindsOf, pageFor } from './pages/kinds.ts'
import type { PageContent } from './request.ts'
import type { PageSources } from './views/sources.ts'

// A request → the page of this node: what an operator reads, searches and asks.

export interface NodePageParts {
  readonly sources: PageSources
  readonly clock: Clock
  readonly isLoopback: boolean
}

/** Each keeps a connection and is rendered by itself. */
export const MOST_LIVE = 16

export class NodePage {
  readonly #parts: NodePageParts
  #live = 0

  constructor(parts: NodePageParts) {
    this.#parts = parts
  }

  /** How many are looked at right now. */
  get live(): number {
    return this.#live
  }

  async answer(request: HttpRequest): Promise<HttpAnswer> {
    const refused = refusal(request, this.#parts)
    if (refused !== undefined) return refused
    const { path, query } = request
    const asset = assetAt(path)
    if (asset !== undefined) {
      const headers = { ...PAGE_HEADERS, 'Content-Type': asset.type, 'Cache-Control': 'max-age=31536000, immutable' }
      return { status: 200, headers, body: asset.body }
    }
    if (path === '/page/live') return this.#stream(query.get('at') ?? '/')
    const page = pageFor(this.#parts.sources, path, query)
    return this.#document(page, page === undefined ? ABSENT : await contentOf(page, this.#parts.sources))
  }

  #document(page: FoundPage | undefined, content: PageContent): HttpAnswer {
    const { sources } = this.#parts
    const here = page?.kind.path
    const links = kindsOf(sources).flatMap(({ path, label }) =>
      // The page of one Service is under that of all of them.
      label === undefined ? [] : [{ path, label, isHere: here === path || here === `${path}/` }],
    )
    const isLive = page !== undefined && page.kind.follows(sources).length > 0
    const body = layout({ about: sources.about, content, links, isLive, assets: ASSET_PATHS }).toString()
    const headers = { ...PAGE_HEADERS, 'Content-Type': 'text/html; charset=utf-8' }
    return { status: content.status ?? 200, headers, body }
  }

  #stream(at: string): HttpAnswer {
    const { sources, clock } = this.#parts
    const url = at.startsWith('/') ? URL.parse(`http://localhost${at}`) : null
    const page = url === null ? undefined : pageFor(sources, url.pathname, url.searchParams)
    if (page === undefined) return plain(404, 'There is no such page.')
    if (this.#live >= MOST_LIVE) return plain(503, `${MOST_LIVE} pages are live already.`)
    const follows = page.kind.follows(sources).filter(source => source !== undefined)
    const parts = async () => (await contentOf(page, sources)).parts
    return {
      status: 200,
      headers: { ...PAGE_HEADERS, 'Content-Type': 'text/event-stream' },
      body: '',
      stream: to => this.#counted(livePage({ parts, follows, clock, to })),
    }
  }

  async #counted(looking: Promise<void>): Promise<void> {
    this.#live++
    try {
      await looking
    } finally {
      this.#live--
    }
  }
}

async function contentOf({ kind, asked }: FoundPage, sources: PageSources): Promise<PageContent> {
  return await kind.content(sources, asked)
}

const ABSENT: PageContent = {
  title: 'No such page',
  status: 404,
  parts: [{ id: 'absent', body: html`<p class="empty">There is no such page. <a href="/">Overview</a></p>` }],
}
