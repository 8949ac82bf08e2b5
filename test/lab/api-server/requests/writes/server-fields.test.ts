import { describe, expect, test } from 'vitest'
import { type Resource, resourceOf } from '#lab/api-server/requests/resources.ts'
import { counted, newObject, nextObject, nextStatus } from '#lab/api-server/requests/writes/server-fields.ts'

const resource = (kind: string): Resource => resourceOf(kind)!
const END = '2026-11-20T10:00:00Z'

describe('a new object', () => {
  test('begins with its first generation, and is not of the past that a copy brings along', () => {
    const metadata = { name: 'web', uid: 'old', creationTimestamp: END, deletionTimestamp: END, generation: 7 }
    const made = newObject(resource('Deployment'), { metadata, spec: {}, status: { replicas: 3 } })
    expect(made).toEqual({ metadata: { name: 'web', generation: 1 }, spec: {}, status: {} })
  })
})

describe('an update', () => {
  const before = {
    metadata: { name: 'web', generation: 3, deletionTimestamp: END, deletionGracePeriodSeconds: 30 },
    spec: {},
    status: { phase: 'Running' },
  }

  test('can neither stop a deletion nor change the generation or the status of a pod', () => {
    const sent = { metadata: { name: 'web', generation: 9 }, spec: {}, status: { phase: 'Failed' } }
    expect(nextObject(resource('Pod'), sent, before)).toEqual(before)
  })

  test('cannot begin a deletion', () => {
    const sent = { metadata: { name: 'web', deletionTimestamp: END, deletionGracePeriodSeconds: 0 } }
    expect(nextObject(resource('Service'), sent, { metadata: { name: 'web' } })).toEqual({ metadata: { name: 'web' } })
  })
})

describe('an update of a status', () => {
  const owner = [{ uid: 'one' }]
  const before = {
    metadata: { name: 'web', labels: { app: 'web' }, ownerReferences: owner, generation: 3 },
    spec: { nodeName: 'one' },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  }
  const sent = {
    metadata: { name: 'web', labels: { app: 'other' }, ownerReferences: [], annotations: { a: 'b' } },
    spec: { nodeName: 'two' },
    status: { phase: 'Running' },
  }

  test('brings labels and annotations along, and nothing of the spec', () => {
    const { metadata, spec, status } = nextStatus(resource('Pod'), sent, before)
    expect(metadata).toMatchObject({ labels: { app: 'other' }, annotations: { a: 'b' }, generation: 3 })
    expect(spec).toEqual({ nodeName: 'one' })
    expect(status).toEqual({ phase: 'Running', qosClass: 'BestEffort' })
  })

  test('leaves a pod its owners, and a Deployment its labels', () => {
    expect(nextStatus(resource('Pod'), sent, before).metadata.ownerReferences).toEqual(owner)
    expect(nextStatus(resource('Deployment'), sent, before).metadata.labels).toEqual({ app: 'web' })
  })

  test('gives a pod no owners that it had not', () => {
    const orphan = { ...before, metadata: { name: 'web' } }
    expect(nextStatus(resource('Pod'), sent, orphan).metadata).not.toHaveProperty('ownerReferences')
  })
})

describe('the generation', () => {
  const object = (spec: object, annotations?: Record<string, string>, kind = 'Deployment') => ({
    kind,
    metadata: { name: 'web', generation: 3, labels: {}, ...(annotations && { annotations }) },
    spec,
  })
  const next = (kind: string, after: object, before: object) =>
    counted(resource(kind), after as never, before as never).metadata.generation

  test('counts a change of what is wished', () => {
    expect(next('Deployment', object({ replicas: 2 }), object({ replicas: 1 }))).toBe(4)
    expect(next('Deployment', object({ replicas: 1 }), object({ replicas: 1 }))).toBe(3)
  })

  test('counts the annotations of a Deployment, and of no other kind', () => {
    expect(next('Deployment', object({}, { a: 'b' }), object({}))).toBe(4)
    expect(next('Deployment', object({}, {}), object({}))).toBe(3)
    expect(next('ReplicaSet', object({}, { a: 'b' }, 'ReplicaSet'), object({}, {}, 'ReplicaSet'))).toBe(3)
  })

  test('of an EndpointSlice counts its endpoints and ports', () => {
    const slice = (endpoints: unknown, labels = {}) => ({
      kind: 'EndpointSlice',
      metadata: { generation: 3, labels },
      endpoints,
      ports: [],
    })
    expect(next('EndpointSlice', slice([1]), slice([]))).toBe(4)
    expect(next('EndpointSlice', slice([], { a: 'b' }), slice([]))).toBe(3)
  })
})
