import type { PageContent, PageKind } from '#page/request.ts'
import type { PageSources } from '#page/views/sources.ts'
import { HOSTILE } from '../clusters.ts'

// One page of the house without the rest of it: what it shows, as text.

/** Nothing that is shown changes. */
export const STILL = { follow: () => () => {} }

export async function pageAsked(kind: PageKind, sources: Partial<PageSources>, address = ''): Promise<PageContent> {
  const [rest = '', query = ''] = address.split('?')
  const asked = { path: kind.path, query: new URLSearchParams(query), rest }
  return kind.content(sources as PageSources, asked)
}

/** The HTML of its intro and parts. */
export async function shown(...asked: Parameters<typeof pageAsked>): Promise<string> {
  const { intro, parts } = await pageAsked(...asked)
  return [intro, ...parts.map(({ body }) => body)].join('\n')
}

/** As a person reads it: without elements, each space once. */
export async function read(...asked: Parameters<typeof pageAsked>): Promise<string> {
  const text = (await shown(...asked)).replace(/<[^>]*>/g, ' ')
  return text.replace(/\s+/g, ' ').trim()
}

/** Every text of a value replaced by one that would be HTML. */
export function hostile<T>(value: T, but: readonly string[] = []): T {
  if (typeof value === 'string') return HOSTILE as T
  if (Array.isArray(value)) return value.map(item => hostile(item as unknown, but)) as T
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, of]) => [name, but.includes(name) ? of : hostile(of, but)])
  return Object.fromEntries(fields) as T
}

/** Whether what is hostile stands there, and nothing of it as HTML. */
export function isInert(text: string): boolean {
  return text.includes('&lt;script&gt;') && !/<script|<img|onerror="/.test(text)
}
