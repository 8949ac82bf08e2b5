import { expect, test } from 'vitest'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import { ObjectCache } from '#lab/client/follow/object-cache.ts'
import type { ApiObject } from '#lab/client/objects.ts'
import { runController } from '#lab/controllers/loop/running.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { podOf } from '../paper-cluster.ts'

// A controller that makes one pod for each key, and an API server on paper that answers when a test says so.

function running() {
  const clock = new PaperClock()
  const cache = new ObjectCache()
  const answer = Promise.withResolvers<ApiObject>()
  const client: Partial<ClusterClient> = {
    follow: (_kind, _selection, on) => cache.join(on as never, () => {}) as never,
    create: () => answer.promise as never,
  }
  const loop = runController(
    {
      name: 'pod-controller',
      follows: [{ kind: 'Pod', keys: ({ metadata: { name = '' } }) => [name] }],
      decide: () => ({ writes: [{ do: 'create', object: podOf('made') }] }),
    },
    { client: client as ClusterClient, clock, record: () => {}, onTrouble: () => {} },
  )
  return { clock, cache, loop, answer }
}

const seen = podOf('web-1', { metadata: { uid: 'uid-1', resourceVersion: '1' } })
const made = podOf('made', { metadata: { uid: 'uid-2', resourceVersion: '7' } })

test('a key that has written waits until a watch shows what it wrote', async () => {
  const { clock, cache, answer } = running()
  cache.replaceAll([seen])
  await clock.advance(0)
  answer.resolve(made)
  await clock.advance(4999)
  expect(clock.sleepers).toBe(1)
  cache.put(made)
  await clock.advance(0)
  expect(clock.sleepers).toBe(0)
})

test('a controller that is closed while it writes waits for the answer, and leaves no timer', async () => {
  const { clock, cache, loop, answer } = running()
  cache.replaceAll([seen])
  await clock.advance(0)
  let isClosed = false
  const closed = loop.close().then(() => {
    isClosed = true
  })
  await clock.advance(0)
  expect(isClosed).toBe(false)
  answer.resolve(made)
  await closed
  expect(clock.sleepers).toBe(0)
})
