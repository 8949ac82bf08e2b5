import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setPodCIDRs, uidOfNode } from '#kubernetes/writes/node-cidrs.ts'
import { StoredText } from '#kubernetes/writes/stored-text.ts'
import type { TimedRequests } from '#kubernetes/writes/timed-answer.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import type { Cidr } from '#values/cidr.ts'
import { served } from './served.ts'

let api: Awaited<ReturnType<typeof served>>
beforeAll(async () => {
  api = await served()
})
afterAll(() => api.close())

function stored(name: string, namespace = 'kube-system'): StoredText {
  return new StoredText({ ...api.requests, namespace, name, key: 'record' })
}

describe('a text in a ConfigMap', () => {
  test('is made, read and changed, and of two writes for one version one is refused', async () => {
    const [one, other] = [stored('a'), stored('a')]
    const none = await one.read()
    expect(none).toEqual({ text: undefined, version: '' })
    const made = await one.write('first', none)
    expect(await other.write('second', none)).toBe('conflict')
    expect(await other.read()).toEqual({ text: 'first', ...(made as object) })
    const before = await one.read()
    const outcomes = await Promise.all([one.write('x', before), other.write('y', before)])
    expect(outcomes.filter(outcome => outcome === 'conflict')).toHaveLength(1)
    expect(['x', 'y']).toContain((await one.read()).text)
  })

  test('stands beside keys and labels of others, which stay', async () => {
    const metadata = { name: 'b', namespace: 'kube-system', labels: { app: 'x' } }
    api.server.store.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { other: 'o' } })
    const text = stored('b')
    const before = await text.read()
    expect(before.text).toBeUndefined()
    await text.write('mine', before)
    const kept = api.server.store.list('ConfigMap').find(it => it.metadata.name === 'b')
    expect(kept).toMatchObject({ metadata: { labels: { app: 'x' } }, data: { other: 'o', record: 'mine' } })
  })

  test('that was deleted meanwhile is not written', async () => {
    const text = stored('c')
    await text.write('one', await text.read())
    const before = await text.read()
    api.server.store.remove('ConfigMap', 'kube-system', 'c')
    expect(await text.write('two', before)).toBe('conflict')
    expect((await text.read()).text).toBeUndefined()
  })

  test('in a namespace that is not there: the answer of the API server', async () => {
    const text = stored('d', 'nowhere')
    await expect(text.write('one', await text.read())).rejects.toThrow(
      'the API server answered 404 to a write of ConfigMap nowhere/d: namespaces "nowhere" not found',
    )
  })

  test('that is too long is not sent', async () => {
    const text = stored('e')
    const long = 'ä'.repeat(600_000)
    await expect(text.write(long, await text.read())).rejects.toThrow(
      'ConfigMap kube-system/e: 1200000 bytes are more than the 1048576 that a ConfigMap can have',
    )
  })
})

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
