import { describe, expect, test } from 'vitest'
import { PODS, type Resource, resourceOf } from '#lab/api-server/requests/resources.ts'
import { type Controllers, endedPod, endingObject, isEnded } from '#lab/api-server/requests/writes/deletion/ending.ts'
import { deleteOptions } from '#lab/api-server/requests/writes/options.ts'
import { type ApiObject, ApiStore } from '#lab/api-server/store.ts'

const store = new ApiStore({ now: () => Date.parse('2026-11-20T10:00:00Z') })
const pod = (more: object = {}, metadata: object = {}): ApiObject => ({
  metadata: { name: 'web', namespace: 'shop', ...metadata },
  spec: { nodeName: 'one', ...more },
  status: { phase: 'Running' },
})

/** The metadata of an object that is on its way out; nothing where it goes at once. */
function ending(
  object: ApiObject,
  {
    asked = {},
    controllers = 'running',
    resource = PODS,
  }: { asked?: object; controllers?: Controllers; resource?: Resource } = {},
): object | undefined {
  const options = deleteOptions(asked, new URLSearchParams())
  return endingObject(store, controllers, { resource, object, options })?.metadata
}

describe('a pod that is deleted', () => {
  test.each([
    ['for half a minute where nothing is said', {}, {}, 30],
    ['as long as it says', { terminationGracePeriodSeconds: 5 }, {}, 5],
    ['as long as the deletion says', { terminationGracePeriodSeconds: 5 }, { gracePeriodSeconds: 7 }, 7],
    ['for a second where the deletion says less than nothing', {}, { gracePeriodSeconds: -5 }, 1],
    ['for a second where it says less than nothing', { terminationGracePeriodSeconds: -1 }, {}, 1],
  ])('stays %s', (_what, spec, asked, seconds) => {
    const deletionTimestamp = `2026-11-20T10:00:${String(seconds).padStart(2, '0')}Z`
    expect(ending(pod(spec), { asked })).toMatchObject({ deletionGracePeriodSeconds: seconds, deletionTimestamp })
  })

  test('goes at once where no kubelet will answer for it, or where that is asked', () => {
    expect(ending(pod({ nodeName: '' }))).toBeUndefined()
    expect(ending({ ...pod(), status: { phase: 'Succeeded' } })).toBeUndefined()
    expect(ending(pod(), { controllers: 'none' })).toBeUndefined()
    expect(ending(pod(), { asked: { gracePeriodSeconds: 0 } })).toBeUndefined()
  })

  test('is answered with its end where it goes at once', () => {
    const end = { deletionTimestamp: '2026-11-20T10:00:00Z', deletionGracePeriodSeconds: 0 }
    expect(endedPod(pod(), '2026-11-20T10:00:00Z').metadata).toMatchObject(end)
  })

  test('may be hurried, and is never given more time', () => {
    const leaving = pod(
      {},
      { deletionTimestamp: '2026-11-20T10:00:10Z', deletionGracePeriodSeconds: 10, generation: 2 },
    )
    expect(ending(leaving, { asked: { gracePeriodSeconds: 3 } })).toMatchObject({
      deletionTimestamp: '2026-11-20T10:00:03Z',
      deletionGracePeriodSeconds: 3,
      generation: 3,
    })
    expect(ending(leaving, { asked: { gracePeriodSeconds: 60 } })).toEqual(leaving.metadata)
  })
})

describe('an object with finalizers', () => {
  const resource = resourceOf('ConfigMap')!
  const held = { metadata: { name: 'a', finalizers: ['example.com/hold'] } }

  test('waits for them, and ends with the last', () => {
    const metadata = ending(held, { resource })
    expect(metadata).toMatchObject({ deletionGracePeriodSeconds: 0, finalizers: ['example.com/hold'] })
    const waiting = { metadata: { ...metadata } }
    expect(isEnded(resource, waiting)).toBe(false)
    expect(isEnded(resource, { metadata: { ...metadata, finalizers: [] } })).toBe(true)
    expect(isEnded(resource, { metadata: { name: 'a' } })).toBe(false)
  })

  test('has one more for what is to become of its dependents, once', () => {
    const asked = { propagationPolicy: 'Foreground' }
    const object = { metadata: { name: 'a', finalizers: ['foregroundDeletion'] } }
    expect(ending({ metadata: { name: 'a' } }, { resource, asked })).toMatchObject(object.metadata)
    expect(ending(object, { resource, asked })).toMatchObject(object.metadata)
    expect(ending({ metadata: { name: 'a' } }, { resource, asked, controllers: 'none' })).toBeUndefined()
  })
})
