import { expect, test } from 'vitest'
import { listAll } from '#kubernetes/lists.ts'
import type { ApiTransport } from '#kubernetes/transport.ts'

const page = (items: unknown, next?: unknown) => JSON.stringify({ items, metadata: { continue: next } })

/** Answers one request after the other; a number is a status. */
async function listed(...answers: readonly (string | number)[]) {
  const paths: string[] = []
  const transport = {
    get: async ({ path }: { path: string }) => {
      paths.push(path)
      const answer = answers[paths.length - 1] ?? 500
      const [status, text] = typeof answer === 'number' ? [answer, '{"message":"no"}'] : [200, answer]
      return { status, headers: {}, body: { text: async () => text } }
    },
  } as unknown as ApiTransport
  const { signal } = new AbortController()
  const request = { path: '/api/v1/pods', query: { labelSelector: 'a=b' }, signal }
  const found = await listAll(transport, request, item => (item as { n?: number } | null)?.n).catch(
    (error: Error) => error.message,
  )
  return { paths, found }
}

test('a list is the parts of all items, page by page', async () => {
  const { paths, found } = await listed(page([{ n: 1 }, { n: 2 }], 'a b'), page([{ n: 3 }], ''))
  expect(found).toEqual([1, 2, 3])
  expect(paths).toEqual([
    '/api/v1/pods?labelSelector=a%3Db&limit=500',
    '/api/v1/pods?labelSelector=a%3Db&limit=500&continue=a+b',
  ])
})

test('may be empty, hold what is no object, and be longer than was asked for', async () => {
  expect((await listed(page([]))).found).toEqual([])
  expect((await listed(page(null))).found).toEqual([])
  expect((await listed(page([null, 5]))).found).toEqual([undefined, undefined])
  const long = Array.from({ length: 300_000 }, () => ({ n: 1 }))
  expect((await listed(page(long))).found).toHaveLength(300_000)
})

test('is the status where it is refused, also on the way', async () => {
  expect((await listed(403)).found).toBe(403)
  expect((await listed(page([{ n: 1 }], 'a'), 410)).found).toBe(410)
})

test.each(['', '<html>', 'null', '[]', '{}', page({}), page('items')])(
  'that is none is not taken for an empty one: %s',
  async answer => {
    expect((await listed(answer)).found).toBe('the API server answered with no list of /api/v1/pods')
    expect((await listed(page([{ n: 1 }], 'a'), answer)).found).toMatch(/no list/)
  },
)

test('whose page leads to itself would never end', async () => {
  const same = page([{ n: 1 }], 'a')
  const { paths, found } = await listed(same, same, same)
  expect([found, paths.length]).toEqual([
    ...['the API server lists a page of /api/v1/pods that is followed by itself', 2],
  ])
})
