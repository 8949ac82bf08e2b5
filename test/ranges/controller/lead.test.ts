import { expect, test } from 'vitest'
import { clusterRanges } from '#ipam/nodes/blocks/cluster-ranges.ts'
import type { RecordStore } from '#ipam/nodes/record/record-store.ts'
import type { Event } from '#kubernetes/event.ts'
import type { TimedRequests } from '#kubernetes/writes/timed-answer.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { lead } from '#ranges/controller/lead.ts'
import type { Cidr } from '#values/cidr.ts'
import { captureLog } from '../../support/captured-log.ts'
import { node } from '../../support/objects.ts'

const put = (name: string, podCIDRs: readonly Cidr[] = []): Event => ({ type: 'put', object: node(name, { podCIDRs }) })

test('nothing is written, or even read, before the last Node of the list has come; then what they have counts first', async () => {
  const decoded = clusterRanges({ clusterCidr: '10.244.0.0/22' })
  if (!decoded.ok) throw new Error(decoded.problems.join())
  const clock = new PaperClock()
  const calls: string[] = []
  let stored: Awaited<ReturnType<RecordStore['read']>> = { record: undefined, version: '0' }
  const store: RecordStore = {
    read: async () => {
      calls.push('read')
      return stored
    },
    write: async record => {
      calls.push(`write ${record.holders.map(({ name, blocks }) => `${name} ${blocks}`).join(', ')}`)
      stored = { record, version: String(Number(stored.version) + 1) }
      return 'stored'
    },
  }
  const answered = async ({ path, body }: { readonly path: string; readonly body?: string }) => {
    calls.push(`${path} ${JSON.parse(body ?? '{}').spec?.podCIDR}`)
    return { status: 200, headers: {}, body: { text: async () => '{}' } }
  }
  const requests = { transport: { get: answered, patch: answered, post: answered }, clock }
  async function* source(signal: AbortSignal): AsyncGenerator<Event> {
    yield put('a')
    await clock.sleep(60_000)
    yield put('z', ['10.244.0.0/24' as Cidr])
    await clock.sleep(60_000)
    yield { type: 'synced', kind: 'Node' }
    await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  }
  const stop = new AbortController()
  const reporter = { round: () => {}, failed: (error: unknown) => calls.push(String(error)) }
  const leading = lead(
    {
      ...{ ranges: decoded.ranges, cooldownMs: 0, source, store, reporter, random: () => 0, log: captureLog().log },
      requests: requests as unknown as TimedRequests,
    },
    stop.signal,
  )
  await clock.advance(119_999)
  expect(calls).toEqual([])
  await clock.advance(1000)
  expect(calls).toEqual([
    'read',
    'write z 10.244.0.0/24',
    'read',
    'write z 10.244.0.0/24, a 10.244.1.0/24',
    '/api/v1/nodes/a 10.244.1.0/24',
  ])
  stop.abort()
  await clock.advance(0)
  await leading
})
