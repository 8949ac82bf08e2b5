import { beforeEach, describe, expect, test } from 'vitest'
import type { ApiObject } from '#lab/client/objects.ts'
import { EventRecorder, type RecordedEvent } from '#lab/controllers/events/event-recorder.ts'
import type { Note } from '#lab/controllers/loop/controller.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { podOf } from '../paper-cluster.ts'

let clock: PaperClock
let created: RecordedEvent[]
let patched: object[]
let recorder: EventRecorder
let failure: Error | undefined
/** While set, what is created waits for it. */
let gate: Promise<void> | undefined

beforeEach(() => {
  gate = undefined
  clock = new PaperClock(Date.parse('2026-03-01T12:00:00Z'))
  created = []
  patched = []
  failure = undefined
  recorder = new EventRecorder({
    clock,
    client: {
      create: async <T extends ApiObject>(object: T) => {
        await gate
        if (failure !== undefined) throw failure
        created.push(object as never)
        return object
      },
      patch: async (_kind, key, patch) => {
        patched.push({ ...key, ...patch })
        return {} as never
      },
    },
  })
})

const about = { ...podOf('web-1'), metadata: { ...podOf('web-1').metadata, uid: 'uid-1', resourceVersion: '7' } }
const failing: Note = { about, type: 'Warning', reason: 'FailedScheduling', message: '0/2 nodes are available' }

describe('an Event', () => {
  test('says of what it is, what happened, who says so and when', async () => {
    recorder.record('default-scheduler', failing)
    await clock.advance(0)
    expect(created).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { namespace: 'default', name: expect.stringMatching(/^web-1\.[0-9a-f]+$/) },
        involvedObject: {
          ...{ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'web-1', uid: 'uid-1', resourceVersion: '7' },
        },
        ...{ type: 'Warning', reason: 'FailedScheduling', message: '0/2 nodes are available', count: 1 },
        ...{ firstTimestamp: '2026-03-01T12:00:00Z', lastTimestamp: '2026-03-01T12:00:00Z' },
        source: { component: 'default-scheduler' },
      },
    ])
  })

  test('that happens again is counted, with the time of the last', async () => {
    for (let times = 0; times < 3; times++) {
      recorder.record('default-scheduler', failing)
      await clock.advance(1_000)
    }
    const [{ metadata } = { metadata: {} }] = created
    expect(created).toHaveLength(1)
    expect(patched).toEqual([
      { ...metadata, count: 2, lastTimestamp: '2026-03-01T12:00:01Z' },
      { ...metadata, count: 3, lastTimestamp: '2026-03-01T12:00:02Z' },
    ])
  })

  test('that happens again before the API server has it is counted when it has', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    recorder.record('default-scheduler', failing)
    await clock.advance(0)
    recorder.record('default-scheduler', failing)
    await clock.advance(1_000)
    expect([created.length, patched.length]).toEqual([0, 0])
    resolve()
    await clock.advance(0)
    expect([created.length, patched]).toEqual([1, [expect.objectContaining({ count: 2 })]])
  })

  test.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'that comes %i turns after the others were taken is written, too',
    async turns => {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      for (const message of ['1', '2', '3', '4']) {
        recorder.record('default-scheduler', { ...failing, message })
        await clock.advance(0)
      }
      resolve()
      while (created.length < 4) await Promise.resolve()
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      recorder.record('default-scheduler', failing)
      await clock.advance(0)
      expect(created).toHaveLength(5)
    },
  )

  test('of another object, of another message, and much later is another', async () => {
    recorder.record('default-scheduler', failing)
    recorder.record('default-scheduler', { ...failing, message: '0/3 nodes are available' })
    recorder.record('default-scheduler', { ...failing, about: podOf('web-2') })
    await clock.advance(600_000)
    recorder.record('default-scheduler', failing)
    await clock.advance(0)
    expect(new Set(created.map(({ metadata }) => metadata.name)).size).toBe(4)
    expect(patched).toEqual([])
  })

  test('of what stands in no namespace is in the default one', async () => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } }
    recorder.record('node-controller', { ...failing, about: node })
    await clock.advance(0)
    expect(created[0]?.metadata.namespace).toBe('default')
    expect(created[0]?.involvedObject).not.toHaveProperty('namespace')
  })

  test('that the API server does not take is lost, and the next of the same is made anew', async () => {
    failure = new Error('away')
    recorder.record('default-scheduler', failing)
    await clock.advance(0)
    failure = undefined
    recorder.record('default-scheduler', failing)
    await clock.advance(0)
    expect([created.length, patched.length]).toEqual([1, 0])
  })
})

test('nothing is recorded after the end', async () => {
  await recorder.close()
  recorder.record('default-scheduler', failing)
  await clock.advance(0)
  expect(created).toEqual([])
})
