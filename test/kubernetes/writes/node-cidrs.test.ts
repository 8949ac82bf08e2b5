import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setPodCIDRs, uidOfNode } from '#kubernetes/writes/node-cidrs.ts'
import type { TimedRequests } from '#kubernetes/writes/timed-answer.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import type { Cidr } from '#values/cidr.ts'
import { served } from './served.ts'

let api: Awaited<ReturnType<typeof served>>
beforeAll(async () => {
  api = await served()
})
afterAll(() => api.close())

describe('podCIDRs of a Node', () => {
  const podCIDRs = ['10.244.1.0/24', 'fd00:10:244:1::/64'] as Cidr[]

  test('are set once, in the object with this uid', async () => {
    const node = api.server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
    const uid = node.metadata.uid!
    expect(await uidOfNode(api.requests, 'n1')).toBe(uid)
    expect(await setPodCIDRs(api.requests, { name: 'n1', uid: 'another', podCIDRs })).toEqual({
      refused: expect.stringContaining(
        'the API server answered 409 to podCIDRs of Node n1: Operation cannot be fulfilled',
      ),
    })
    expect(await setPodCIDRs(api.requests, { name: 'n1', uid, podCIDRs })).toBe('set')
    expect(await setPodCIDRs(api.requests, { name: 'n1', uid, podCIDRs })).toBe('set')
    const others = ['10.244.2.0/24'] as Cidr[]
    expect(await setPodCIDRs(api.requests, { name: 'n1', uid, podCIDRs: others })).toEqual({
      refused: expect.stringContaining('spec.podCIDRs: Forbidden: node updates may not change podCIDR'),
    })
    const kept = api.server.store.list('Node').find(it => it.metadata.name === 'n1')
    expect(kept?.spec).toEqual({ podCIDR: '10.244.1.0/24', podCIDRs })
  })

  test('of a node that is gone are refused, and it has no uid', async () => {
    expect(await uidOfNode(api.requests, 'gone')).toBeUndefined()
    expect(await setPodCIDRs(api.requests, { name: 'gone', uid: 'u', podCIDRs })).toEqual({
      refused: 'the API server answered 404 to podCIDRs of Node gone: nodes "gone" not found',
    })
  })

  test.each([
    [403, '{"message":"nodes is forbidden"}', 'the API server answered 403 to a read of Node n: nodes is forbidden'],
    [200, 'oops', 'the API server answered 200 to a read of Node n'],
  ])('an answer %d with %j is no proof that the node is gone', async (status, text, sentence) => {
    const get = async () => ({ status, headers: {}, body: { text: async () => text } })
    const requests = { transport: { get }, clock: new PaperClock() } as unknown as TimedRequests
    await expect(uidOfNode(requests, 'n')).rejects.toThrow(sentence)
  })

  test('no answer in time is no proof either', async () => {
    const clock = new PaperClock()
    const get = ({ signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const requests = { transport: { get }, clock } as unknown as TimedRequests
    const refused = expect(uidOfNode(requests, 'n')).rejects.toThrow('no answer for 10 s')
    await clock.advance(10_000)
    await refused
  })
})
