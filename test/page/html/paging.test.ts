import { describe, expect, test } from 'vitest'
import { pageOf, pager } from '#page/html/paging.ts'

const all = Array.from({ length: 120 }, (_, i) => i)

describe('a page of a long list', () => {
  test.each([
    [null, 1, 0, 50],
    ['2', 2, 50, 50],
    ['3', 3, 100, 20],
    ['4', 3, 100, 20],
    ['0', 1, 0, 50],
    ['-1', 1, 0, 50],
    ['2x', 1, 0, 50],
    ['99999999999999999999', 1, 0, 50],
  ])('asked for %j is page %d', (wanted, page, first, length) => {
    const found = pageOf(all, wanted, 50)
    expect([found.page, found.rows[0], found.rows.length, found.pages]).toEqual([page, first, length, 3])
  })

  test('of an empty list is the first, and empty', () => {
    expect(pageOf([], '3', 50)).toMatchObject({ rows: [], page: 1, pages: 1, total: 0 })
  })
})

describe('links to the pages beside', () => {
  const links = (wanted: string) =>
    pager(pageOf(all, wanted, 50), {
      path: '/page/services',
      query: new URLSearchParams('q=a%26b&page=9'),
      label: 'Pages',
    }).toString()

  test('keep what was searched for', () => {
    expect(links('2')).toContain('href="/page/services?q=a%26b&amp;page=1"')
    expect(links('2')).toContain('href="/page/services?q=a%26b&amp;page=3"')
    expect(links('2')).toContain('51–100 of 120')
  })

  test('are only where there is such a page', () => {
    expect(links('1')).not.toContain('rel="prev"')
    expect(links('3')).not.toContain('rel="next"')
    const short = pageOf(all.slice(0, 50), '1', 50)
    expect(pager(short, { path: '/', query: new URLSearchParams(), label: '' }).toString()).toBe('')
  })
})
