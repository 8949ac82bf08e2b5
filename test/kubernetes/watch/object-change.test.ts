import { afterAll, beforeAll, expect, test } from 'vitest'
import { Refusal } from '#kubernetes/watch/failures.ts'
import { objectChange } from '#kubernetes/watch/object-change.ts'
import { StoredText } from '#kubernetes/writes/stored-text.ts'
import { systemClock } from '#system/clock.ts'
import { served } from '../writes/served.ts'

let api: Awaited<ReturnType<typeof served>>
beforeAll(async () => {
  api = await served()
})
afterAll(() => api.close())

const PATH = '/api/v1/namespaces/kube-system/configmaps'

function changeOf(name: string, version: string, signal = new AbortController().signal) {
  const { transport } = api.requests
  return objectChange({ transport, clock: systemClock, random: () => 0.5 }, { path: PATH, name, version }, signal)
}

function textNamed(name: string): StoredText {
  return new StoredText({ ...api.requests, namespace: 'kube-system', name, key: 'ring' })
}

const watchesOf = (name: string) =>
  api.server.requests.filter(({ query }) => query.fieldSelector === `metadata.name=${name}`)

test('an object that comes, changes or goes is heard of, and none beside it', async () => {
  const ring = textNamed('ring')
  const coming = changeOf('ring', '')
  await expect.poll(() => watchesOf('ring').length).toBe(1)
  await textNamed('other').write('x', { text: undefined, version: '' })
  const made = await ring.write('one', { text: undefined, version: '' })
  expect(await coming).toBe('changed')
  if (made === 'conflict') throw new Error('written by another')
  const changing = changeOf('ring', made.version)
  await expect.poll(() => watchesOf('ring').length).toBe(2)
  const written = await ring.write('two', { text: undefined, ...made })
  expect(await changing).toBe('changed')
  if (written === 'conflict') throw new Error('written by another')
  const going = changeOf('ring', written.version)
  await expect.poll(() => watchesOf('ring').length).toBe(3)
  api.server.store.remove('ConfigMap', 'kube-system', 'ring')
  expect(await going).toBe('changed')
})

test('what has changed before the watch begins is heard of at once', async () => {
  const made = await textNamed('old').write('one', { text: undefined, version: '' })
  if (made === 'conflict') throw new Error('written by another')
  await textNamed('old').write('two', { text: undefined, ...made })
  expect(await changeOf('old', made.version)).toBe('changed')
})

test('a watch that the API server ends is no change; one that it refuses is said to be refused', async () => {
  const undo = api.server.inject({ do: 'close' })
  expect(await changeOf('none', '')).toBe('ended')
  undo()
  api.server.inject({ do: 'status', code: 403, times: 1 })
  await expect(changeOf('none', '')).rejects.toBeInstanceOf(Refusal)
})

test('nothing is waited for any longer once the signal has aborted', async () => {
  const stop = new AbortController()
  const change = changeOf('never', '', stop.signal)
  await expect.poll(() => watchesOf('never').length).toBe(1)
  stop.abort(new Error('enough'))
  await expect(change).rejects.toThrow('enough')
})
