import { expect, test } from 'vitest'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import { ApiRefused } from '#lab/client/refused.ts'
import type { Note, Write } from '#lab/controllers/loop/controller.ts'
import { written } from '#lab/controllers/loop/writer.ts'
import { podOf } from '../paper-cluster.ts'

const pod = podOf('web-1')
const key = { namespace: 'default', name: 'web-1' }

function refusing(code: number, reason: string) {
  const refuse = async (): Promise<never> => {
    throw new ApiRefused({ code, reason, message: reason })
  }
  const client: Partial<ClusterClient> = { replace: refuse, patch: refuse, create: async object => object }
  const notes: Note[] = []
  return { parts: { client: client as ClusterClient, record: (note: Note) => void notes.push(note) }, notes }
}

const CHANGES: readonly Write[] = [
  { do: 'replace', object: pod, subresource: 'status' },
  { do: 'patch', kind: 'Pod', key, patch: {} },
]

test.each(CHANGES)('a $do of what has gone meanwhile is done, and nothing of it is waited for', async write => {
  expect(await written(refusing(404, 'NotFound').parts, [write])).toEqual({ expectations: [] })
})

test.each(CHANGES)('a $do that is refused fails, and what stands beside it is written all the same', async write => {
  const { parts, notes } = refusing(409, 'Conflict')
  const note = { about: pod, type: 'Normal', reason: 'Created', message: 'made' } as const
  const { expectations, error } = await written(parts, [write, { do: 'create', object: pod, note: () => note }])
  expect(error).toMatchObject({ code: 409 })
  expect([expectations.length, notes]).toEqual([1, [note]])
})
