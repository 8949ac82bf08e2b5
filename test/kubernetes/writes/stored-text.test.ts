import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StoredText } from '#kubernetes/writes/stored-text.ts'
import type { TimedRequests } from '#kubernetes/writes/timed-answer.ts'
import { PaperClock } from '#lab/paper/clock.ts'
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

describe('a text whose version is known', () => {
  /** Answers one request after the other, and keeps what was asked. */
  function scripted(...answers: readonly (readonly [status: number, json: unknown])[]) {
    const asked: { path: string; headers: Readonly<Record<string, string>> | undefined }[] = []
    const get = async ({ path, headers }: { path: string; headers?: Readonly<Record<string, string>> }) => {
      asked.push({ path, headers })
      const [status, json] = answers[asked.length - 1]!
      return { status, headers: {}, body: { text: async () => JSON.stringify(json) } }
    }
    const parts = { transport: { get, post: get, patch: get }, clock: new PaperClock() } as unknown as TimedRequests
    const text = new StoredText({ ...parts, namespace: 'kube-system', name: 'a', key: 'record' })
    const accepts = () => asked.map(({ headers }) => headers?.accept?.includes('PartialObjectMetadata') ?? false)
    return { text, accepts }
  }
  const version = (resourceVersion: string, data?: object) => ({ metadata: { resourceVersion }, data })

  test('is asked for without the text, and with it only where the version is another', async () => {
    const same = scripted([200, version('7')])
    expect(await same.text.read('7')).toEqual({ text: undefined, version: '7' })
    expect(same.accepts()).toEqual([true])
    const changed = scripted([200, version('8')], [200, version('9', { record: 'new' })])
    expect(await changed.text.read('7')).toEqual({ text: 'new', version: '9' })
    expect(changed.accepts()).toEqual([true, false])
  })

  test('is not asked for again where it came at once, or is gone', async () => {
    const whole = scripted([200, version('8', { record: 'new' })])
    expect(await whole.text.read('7')).toEqual({ text: 'new', version: '8' })
    const gone = scripted([404, {}])
    expect(await gone.text.read('7')).toEqual({ text: undefined, version: '' })
  })

  test('is asked for at once where none is known', async () => {
    const fresh = scripted([200, version('8', { record: 'new' })], [200, version('8', { record: 'new' })])
    await fresh.text.read()
    await fresh.text.read('')
    expect(fresh.accepts()).toEqual([false, false])
  })

  test.each([
    [200, {}, 'the API server answered without a resourceVersion of ConfigMap kube-system/a'],
    [200, 'oops', 'the API server answered without a resourceVersion of ConfigMap kube-system/a'],
    [403, { message: 'no' }, 'the API server answered 403 to a read of ConfigMap kube-system/a: no'],
  ])('is not taken for gone after %d with %j', async (status, json, sentence) => {
    await expect(scripted([status, json]).text.read()).rejects.toThrow(sentence)
  })

  test('is not read from what is no text', async () => {
    expect((await scripted([200, version('8', { record: 5 })]).text.read()).text).toBeUndefined()
    expect((await scripted([200, version('8', ['record'])]).text.read()).text).toBeUndefined()
  })
})
