import type { PageAsked, PageKind } from '../request.ts'
import type { PageSources } from '../views/sources.ts'
import { ADDRESSES } from './addresses.ts'
import { CALLS } from './calls.ts'
import { EXPLAIN } from './explain.ts'
import { OVERVIEW } from './overview.ts'
import { RANGES } from './ranges.ts'
import { ROUTES } from './routes.ts'
import { SERVICE } from './service.ts'
import { SERVICES } from './services.ts'
import { SYNCS } from './syncs.ts'

// An address → the page that stands there, if this program has it.

/** In the order of the navigation. */
const KINDS: readonly PageKind[] = [OVERVIEW, SERVICES, SERVICE, EXPLAIN, SYNCS, CALLS, ADDRESSES, RANGES, ROUTES]

export function kindsOf(sources: PageSources): readonly PageKind[] {
  return KINDS.filter(({ isThere }) => isThere(sources))
}

export interface FoundPage {
  readonly kind: PageKind
  readonly asked: PageAsked
}

export function pageFor(sources: PageSources, path: string, query: URLSearchParams): FoundPage | undefined {
  for (const kind of kindsOf(sources)) {
    const isOpen = kind.path !== '/' && kind.path.endsWith('/')
    if (isOpen && path.startsWith(kind.path))
      return { kind, asked: { path, query, rest: decoded(path.slice(kind.path.length)) } }
    if (path === kind.path) return { kind, asked: { path, query, rest: '' } }
  }
  return undefined
}

/** As it is, where it is not encoded as it should be. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
