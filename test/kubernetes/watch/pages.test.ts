import { describe, expect, test } from 'vitest'
import type { Attempt } from '#kubernetes/watch/attempt.ts'
import { Malformed } from '#kubernetes/watch/failures.ts'
import type { Item } from '#kubernetes/watch/frames.ts'
import type { Picture } from '#kubernetes/watch/ledger.ts'
import { pagedList } from '#kubernetes/watch/pages.ts'
import { watchedResources } from '#kubernetes/watch/resources.ts'

const [services] = watchedResources('n1')

/** What was asked, and what was put into the picture, where these pages are answered one after the other. */
async function listed(...pages: readonly (string | object)[]) {
  const asked: URLSearchParams[] = []
  const names: unknown[] = []
  const attempt = {
    ask: async (path: string, headers: unknown) => {
      asked.push(new URL(path, 'http://paper').searchParams)
      expect(headers).toEqual({ 'accept-encoding': 'gzip' })
      expect(asked.length).toBeLessThanOrEqual(pages.length)
    },
    text: async () => {
      const page = pages[asked.length - 1]!
      return typeof page === 'string' ? page : JSON.stringify(page)
    },
  } as unknown as Attempt
  const picture = { put: ({ name }: Item) => names.push(name) } as unknown as Picture
  const version = await pagedList(attempt, { resource: services!, pageSize: 2 }, picture).catch(
    (error: unknown) => error,
  )
  return { asked, names, version }
}

const item = (name: string) => ({ metadata: { name, namespace: 'shop', resourceVersion: '1' } })
const page = (version: unknown, more: unknown, ...names: readonly string[]) => ({
  metadata: { resourceVersion: version, continue: more },
  items: names.map(item),
})

describe('a list in pages', () => {
  test('is the items of all of them, at the version of the last', async () => {
    const { asked, names, version } = await listed(
      page('7', 'a b', 'a', 'b'),
      page('7', 'c&d', 'c', 'd'),
      page('8', '', 'e'),
    )
    expect(names).toEqual(['shop/a', 'shop/b', 'shop/c', 'shop/d', 'shop/e'])
    expect(version).toBe('8')
    expect(asked.map(query => [query.get('limit'), query.get('continue')])).toEqual([
      ['2', null],
      ['2', 'a b'],
      ['2', 'c&d'],
    ])
    expect(new Set(asked.map(query => query.get('labelSelector'))).size).toBe(1)
  })

  test.each([
    ['[]', page('7', '')],
    ['null, as Go writes it', { metadata: { resourceVersion: '7' }, items: null }],
  ])('may be empty: %s', async (_, empty) => {
    expect(await listed(empty)).toMatchObject({ names: [], version: '7' })
  })

  test('holds also what has no name: that is decided where it is decoded', async () => {
    const odd = { metadata: { resourceVersion: '7' }, items: [null, 5, item('a'), { metadata: { name: 'A B' } }] }
    expect((await listed(odd)).names).toEqual([undefined, undefined, 'shop/a', undefined])
  })

  test.each<readonly [string | object, string]>([
    ['<html>', 'a list that is not JSON: <html>'],
    ['', 'a list that is not JSON: '],
    ['null', 'a list without items: null'],
    ['[]', 'a list without items: []'],
    [
      { metadata: { resourceVersion: '7' }, items: {} },
      'a list without items: {"metadata":{"resourceVersion":"7"},"items":{}}',
    ],
    [{ metadata: { resourceVersion: '7' } }, 'a list without items: {"metadata":{"resourceVersion":"7"}}'],
    [page(undefined, ''), 'a list without a resourceVersion'],
    [page(7, ''), 'a list without a resourceVersion'],
    [{ items: [] }, 'a list without a resourceVersion'],
  ])('that is none is not taken for an empty one: %j', async (answer, message) => {
    expect((await listed(answer)).version).toEqual(new Malformed(message))
  })

  test('whose page leads to itself would never end', async () => {
    const { asked, version } = await listed(page('7', 'a', 'a'), page('7', 'a', 'a'), page('7', 'a', 'a'))
    expect(version).toEqual(new Malformed('a page of a list that is followed by itself'))
    expect(asked).toHaveLength(2)
  })
})
