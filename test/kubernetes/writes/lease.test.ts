import { afterAll, beforeAll, expect, test } from 'vitest'
import { LeaseObject, type LeaseTerm } from '#kubernetes/writes/lease.ts'
import { served } from './served.ts'

let api: Awaited<ReturnType<typeof served>>
beforeAll(async () => {
  api = await served()
})
afterAll(() => api.close())

const TERM: LeaseTerm = {
  ...{ holder: 'a', seconds: 15, transitions: 3 },
  acquired: Date.parse('2026-11-20T10:00:00.123Z'),
  renewed: Date.parse('2026-11-20T10:00:02.001Z'),
}

function lease(name: string, namespace = 'kube-system'): LeaseObject {
  return new LeaseObject({ ...api.requests, namespace, name })
}

test('a Lease is made, read and changed in the form of Kubernetes; of two writes for one version one is refused', async () => {
  const [one, other] = [lease('a'), lease('a')]
  const none = await one.read()
  expect(none).toEqual({ term: undefined, version: '' })
  const made = await one.write(TERM, none)
  expect(made).toMatchObject({ term: TERM })
  expect(await other.write({ ...TERM, holder: 'b' }, none)).toBe('conflict')
  expect(await other.read()).toEqual(made)
  const [stored] = api.server.store.list('Lease')
  expect(stored?.spec).toEqual({
    ...{ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 3 },
    ...{ acquireTime: '2026-11-20T10:00:00.123000Z', renewTime: '2026-11-20T10:00:02.001000Z' },
  })
  const before = await one.read()
  const outcomes = await Promise.all(['x', 'y'].map(holder => one.write({ ...TERM, holder }, before)))
  expect(outcomes.filter(outcome => outcome === 'conflict')).toHaveLength(1)
})

test('a Lease that is gone meanwhile is not written', async () => {
  const before = await lease('b').write(TERM, await lease('b').read())
  if (before === 'conflict') throw new Error('not written')
  api.server.store.remove('Lease', 'kube-system', 'b')
  expect(await lease('b').write(TERM, before)).toBe('conflict')
})

test('what is missing or odd in it counts as given back', async () => {
  const spec = { holderIdentity: 7, leaseDurationSeconds: -1, renewTime: 'yesterday' }
  api.server.store.put({ kind: 'Lease', metadata: { namespace: 'kube-system', name: 'c' }, spec })
  const { term } = await lease('c').read()
  expect(term).toEqual({ holder: '', seconds: 0, acquired: 0, renewed: 0, transitions: 0 })
})

test('an answer that is neither is an error that names it', async () => {
  await expect(lease('d', 'nowhere').write(TERM, { term: undefined, version: '' })).rejects.toThrow(
    'the API server answered 404 to a write of Lease nowhere/d: namespaces "nowhere" not found',
  )
})
