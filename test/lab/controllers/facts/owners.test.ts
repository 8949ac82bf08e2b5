import { describe, expect, test } from 'vitest'
import type { ApiObject, OwnerReference, Pod } from '#lab/client/objects.ts'
import { claimed, controllerOf, ownerReference } from '#lab/controllers/facts/owners.ts'
import { podOf } from '../paper-cluster.ts'

const SET: ApiObject = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { namespace: 'default', name: 'web', uid: 'mine' },
}
const MINE = ownerReference(SET)
const OTHER: OwnerReference = { ...MINE, name: 'db', uid: 'another' }
const LOOSE: OwnerReference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'settings', uid: 'loose' }

function web(name: string, ownerReferences: readonly OwnerReference[], more: Partial<Pod['metadata']> = {}): Pod {
  const metadata = { namespace: 'default', name, uid: name, resourceVersion: '7', ownerReferences, ...more }
  return podOf(name, { metadata: { ...metadata, labels: { app: 'web', ...more.labels } } })
}

/** Names of those owned, and what is written: `web-1 mine`, or `web-1 nothing`. */
function claim(owner: ApiObject, ...pods: readonly Pod[]) {
  const { owned, writes } = claimed(owner, pods, ({ metadata }) => metadata.labels?.app === 'web')
  const written = writes.map(write => {
    if (write.do !== 'patch') return write.do
    const { metadata } = write.patch as { metadata: Pod['metadata'] & { ownerReferences: OwnerReference[] | null } }
    expect(metadata).toMatchObject({ uid: write.key.name, resourceVersion: '7' })
    return `${write.key.name} ${metadata.ownerReferences?.map(({ uid }) => uid).join(' ') ?? 'nothing'}`
  })
  return [owned.map(({ metadata }) => metadata.name), written]
}

describe('of the objects that its selector takes, a controller', () => {
  test('owns its own, and leaves those of another and those elsewhere', () => {
    const pods = [web('web-1', [MINE]), web('web-2', [OTHER]), web('web-3', [], { namespace: 'shop' })]
    expect(claim(SET, ...pods)).toEqual([['web-1'], []])
  })

  test('adopts those without a controller, beside owners that are none, unless either is ending', () => {
    const pods = [web('web-1', []), web('web-2', [LOOSE]), web('web-3', [], { deletionTimestamp: 'now' })]
    expect(claim(SET, ...pods)).toEqual([[], ['web-1 mine', 'web-2 loose mine']])
    const ending = { ...SET, metadata: { ...SET.metadata, deletionTimestamp: 'now' } }
    expect(claim(ending, ...pods)).toEqual([[], []])
  })
})

test('a controller lets go what its selector takes no more, and nothing else of it', () => {
  const labels = { app: 'debug' }
  const pods = [web('web-1', [MINE], { labels }), web('web-2', [LOOSE, MINE], { labels }), web('web-3', [], { labels })]
  expect(claim(SET, ...pods)).toEqual([[], ['web-1 nothing', 'web-2 loose']])
})

test('a controller of the same name that is no more is another one', () => {
  expect(claim({ ...SET, metadata: { ...SET.metadata, uid: 'fresh' } }, web('web-1', [MINE]))).toEqual([[], []])
  expect(controllerOf(web('web-1', [LOOSE]))).toBeUndefined()
})
