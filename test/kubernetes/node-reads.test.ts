import { describe, expect, test } from 'vitest'
import { countNodes, readNode } from '#kubernetes/node-reads.ts'
import type { TimedRequests } from '#kubernetes/writes/timed-answer.ts'
import { PaperClock } from '#lab/paper/clock.ts'

/** Answers one request after the other, and keeps what was asked. */
function scripted(...answers: readonly (readonly [status: number, json: unknown])[]) {
  const asked: string[] = []
  const get = async ({ path }: { path: string }) => {
    asked.push(path)
    const [status, json] = answers[asked.length - 1]!
    return { status, headers: {}, body: { text: async () => (typeof json === 'string' ? json : JSON.stringify(json)) } }
  }
  return { asked, requests: { transport: { get }, clock: new PaperClock() } as unknown as TimedRequests }
}

const NODE = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1', uid: 'u' },
  spec: { podCIDRs: ['10.244.1.0/24'] },
}

describe('a Node', () => {
  test('is read as it is now', async () => {
    const { asked, requests } = scripted([200, NODE])
    expect(await readNode(requests, 'n1')).toMatchObject({ name: 'n1', uid: 'u', podCIDRs: ['10.244.1.0/24'] })
    expect(asked).toEqual(['/api/v1/nodes/n1'])
  })

  test('is gone where the API server says so, and only then', async () => {
    expect(await readNode(scripted([404, {}]).requests, 'n1')).toBeUndefined()
    await expect(readNode(scripted([403, { message: 'no' }]).requests, 'n1')).rejects.toThrow(
      'the API server answered 403 to a read of Node n1: no',
    )
    for (const odd of ['<html>', '', 'null', {}, { ...NODE, metadata: {} }]) {
      await expect(readNode(scripted([200, odd]).requests, 'n1')).rejects.toThrow('Node n1 cannot be used: ')
    }
  })
})

describe('the number of Nodes', () => {
  const list = (items: unknown, metadata: object = {}) => ({ items, metadata })

  test('is one and how many more there are', async () => {
    const { asked, requests } = scripted([200, list([NODE], { continue: 'x', remainingItemCount: 4999 })])
    expect(await countNodes(requests)).toBe(5000)
    expect(asked).toEqual(['/api/v1/nodes?limit=1'])
  })

  test.each([
    ['none', [], 0],
    ['one', [NODE], 1],
    ['all, from a server that knows no limit', [NODE, NODE, NODE], 3],
  ])('is that of a list that is whole: %s', async (_, items, count) => {
    expect(await countNodes(scripted([200, list(items)]).requests)).toBe(count)
    expect(await countNodes(scripted([200, list(items, { continue: '' })]).requests)).toBe(count)
  })

  test('is counted where the API server does not say how many more there are', async () => {
    const { asked, requests } = scripted([200, list([NODE], { continue: 'x' })], [200, list([NODE, NODE])])
    expect(await countNodes(requests)).toBe(2)
    expect(asked).toEqual(['/api/v1/nodes?limit=1', '/api/v1/nodes'])
    const page = [200, list([NODE], { continue: 'x' })] as const
    expect(await countNodes(scripted(page, page).requests)).toBe(1)
  })

  test('is not 0 where there was no answer to that', async () => {
    await expect(countNodes(scripted([500, {}]).requests)).rejects.toThrow(
      'the API server answered 500 to a list of Nodes',
    )
    for (const odd of ['', 'null', list(null), list({})]) {
      await expect(countNodes(scripted([200, odd]).requests)).rejects.toThrow(
        'the API server answered with no list of Nodes',
      )
    }
  })
})
