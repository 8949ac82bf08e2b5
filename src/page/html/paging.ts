import { type Html, html } from './html.ts'
import { grouped } from './pieces.ts'

// A long list and a page number from an address → the rows of that page, and links to those beside it.

export interface PageOf<T> {
  readonly rows: readonly T[]
  /** From 1. */
  readonly page: number
  readonly pages: number
  readonly total: number
  readonly first: number
}

/** A number that is none, or beyond the last, is the nearest that is there. */
export function pageOf<T>(all: readonly T[], wanted: string | null, size: number): PageOf<T> {
  const pages = Math.max(1, Math.ceil(all.length / size))
  const number = /^\d{1,9}$/.test(wanted ?? '') ? Number(wanted) : 1
  const page = Math.min(pages, Math.max(1, number))
  const start = (page - 1) * size
  return { rows: all.slice(start, start + size), page, pages, total: all.length, first: start + 1 }
}

export interface PagerParts {
  readonly path: string
  readonly query: URLSearchParams
  /** The query's name for the page. */
  readonly name?: string
  readonly label: string
}

export function pager({ rows, page, pages, total, first }: PageOf<unknown>, parts: PagerParts): Html {
  if (pages <= 1) return html``
  const { path, query, name = 'page', label } = parts
  const to = (number: number): string => {
    const changed = new URLSearchParams(query)
    changed.set(name, String(number))
    return `${path}?${changed}`
  }
  const step = (number: number, text: string, rel: string): Html =>
    number < 1 || number > pages
      ? html`<span class="dim" aria-hidden="true">${text}</span>`
      : html`<a href="${to(number)}" rel="${rel}">${text}</a>`
  return html`<nav class="pager" aria-label="${label}">
${step(page - 1, '← Previous', 'prev')}
<span>${grouped(first)}–${grouped(first + rows.length - 1)} of ${grouped(total)}</span>
${step(page + 1, 'Next →', 'next')}
</nav>`
}
