import { describe, expect, test } from 'vitest'
import type { ApiObject, OwnerReference } from '#lab/client/objects.ts'
import { endingDecision, type OwnerState, ownedDecision, ownerState } from '#lab/controllers/garbage/dependents.ts'

function owner(uid: string, more: Partial<OwnerReference> = {}): OwnerReference {
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `set-${uid}`, uid, ...more }
}

function owned(...ownerReferences: readonly OwnerReference[]): ApiObject {
  const metadata = { namespace: 'default', name: 'web-1', uid: 'pod', resourceVersion: '7', ownerReferences }
  return { apiVersion: 'v1', kind: 'Pod', metadata }
}

function decide(object: ApiObject, states: Readonly<Record<string, OwnerState>>) {
  return ownedDecision(object, ({ uid }) => states[uid] ?? 'gone').writes
}

describe('an object', () => {
  test('stays while all its owners are there', () => {
    expect(decide(owned(), {})).toEqual([])
    expect(decide(owned(owner('a'), owner('b')), { a: 'there', b: 'there' })).toEqual([])
  })

  test('goes when the last of them has gone, if it is still as it was seen', () => {
    const object = owned(owner('a'), owner('b'))
    const options = { propagationPolicy: 'Background', resourceVersion: '7' }
    expect(decide(object, {})).toEqual([{ do: 'delete', object, options }])
  })

  test('loses the owners that have gone where another is left', () => {
    expect(decide(owned(owner('a'), owner('b')), { b: 'there' })).toMatchObject([
      { do: 'patch', patch: { metadata: { uid: 'pod', resourceVersion: '7', ownerReferences: [owner('b')] } } },
    ])
  })

  test('goes before an owner that waits for it, and so do those it owns itself', () => {
    const [write] = decide(owned(owner('a')), { a: 'ending' })
    expect(write).toMatchObject({ do: 'delete', options: { propagationPolicy: 'Foreground' } })
  })
})

test('an owner is another one where its uid differs', () => {
  const metadata = { name: 'set', uid: 'a' }
  expect(ownerState({ metadata }, 'a')).toBe('there')
  expect(ownerState({ metadata }, 'b')).toBe('gone')
  expect(ownerState(undefined, 'a')).toBe('gone')
  const ending = { ...metadata, deletionTimestamp: 'now', finalizers: ['foregroundDeletion'] }
  expect(ownerState({ metadata: ending }, 'a')).toBe('ending')
})

describe('an object that is to go', () => {
  const going = (finalizer: string): ApiObject => {
    const metadata = { name: 'set', namespace: 'default', uid: 'a', deletionTimestamp: 'now', finalizers: [finalizer] }
    return { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { ...metadata, resourceVersion: '3' } }
  }
  const freed = [{ do: 'patch', kind: 'ReplicaSet', patch: { metadata: { resourceVersion: '3', finalizers: null } } }]
  const blocking = owned(owner('a', { blockOwnerDeletion: true }))

  test('after its dependents waits for each that holds it up', () => {
    expect(endingDecision(going('foregroundDeletion'), [blocking]).writes).toMatchObject([
      { do: 'delete', object: blocking, options: { propagationPolicy: 'Foreground' } },
    ])
    const ending = { ...blocking, metadata: { ...blocking.metadata, deletionTimestamp: 'now' } }
    expect(endingDecision(going('foregroundDeletion'), [ending]).writes).toEqual([])
    expect(endingDecision(going('foregroundDeletion'), []).writes).toMatchObject(freed)
  })

  test('without its dependents leaves them behind with no owner', () => {
    expect(endingDecision(going('orphan'), [blocking]).writes).toMatchObject([
      { do: 'patch', kind: 'Pod', patch: { metadata: { ownerReferences: null } } },
    ])
    expect(endingDecision(going('orphan'), []).writes).toMatchObject(freed)
  })
})
