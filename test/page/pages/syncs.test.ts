import { expect, test } from 'vitest'
import { SYNCS } from '#page/pages/syncs.ts'
import type { SyncRecord, SyncSource } from '#page/views/syncs.ts'
import { hostile, isInert, read, STILL, shown } from './shown.ts'

const SYNC: SyncRecord = {
  ...{ at: Date.UTC(2026, 0, 2, 3, 4, 5), family: 'IPv4', tookMs: 147, stages: { draw: 0.4, read: 20, write: 1200 } },
  ...{ units: { added: 0, changed: 0, removed: 0 }, commands: 0, bytes: 0, looked: false },
  ...{ changed: { count: 0, names: [] }, connectionsEnded: 0, drift: { count: 0, units: [] } },
  ...{ refused: [], blocked: [] },
}
const REFUSED = { owner: 'shop/cart:http', unit: 'nat A', reason: 'no such chain' }

const source = (...records: readonly SyncRecord[]): { syncs: SyncSource } => ({
  syncs: { ...STILL, recent: () => records, repairs: () => records.filter(({ drift }) => drift.count > 0) },
})
const text = (more: Partial<SyncRecord>) => read(SYNCS, source({ ...SYNC, ...more }))

test('before the first sync it says that there is none', async () => {
  expect(await read(SYNCS, source())).toBe(
    'Drift, repairs and refusals No other program has changed our rules, and the kernel has refused none. Last syncs No sync has ended yet.',
  )
})

test('a sync that changed nothing says so in each place', async () => {
  expect(await text({})).toMatch(/03:04:05 2026-01-02 IPv4 done 147 ms none none 0 0 read 20 ms · write 1\.2 s$/)
})

test('units have their signs, and what has changed its names', async () => {
  const changed = { count: 1003, names: ['shop/a', 'shop/b', 'shop/c'] }
  const line = await text({ units: { added: 1200, changed: 0, removed: 3 }, changed, commands: 2, bytes: 90_000 })
  expect(line).toContain('+1,200 −3 shop/a , shop/b , shop/c and 1,000 more 2 90.0 kB')
})

/** The worst of it is the one word that stands there. */
test.each<[string, Partial<SyncRecord>]>([
  ['done kernel read', { looked: true }],
  ['repaired', { looked: true, drift: { count: 1, units: ['nat A'] } }],
  ['refused in part', { drift: { count: 1, units: [] }, refused: [REFUSED] }],
  ['failed', { refused: [REFUSED], failure: { reason: 'locked', retryMs: 1000 } }],
])('its result is %s', async (word, more) => {
  expect(await text(more)).toContain(` IPv4 ${word} 147 ms`)
})

test('what was wrong stands above, each thing in a line', async () => {
  const wrong: Partial<SyncRecord> = {
    drift: { count: 5, units: ['nat A', 'nat B'] },
    refused: [REFUSED],
    blocked: [{ unit: 'nat KUBE-X', by: '-A OUTPUT -j KUBE-X' }],
    failure: { reason: 'the lock is held', retryMs: 1500 },
  }
  const line = await text(wrong)
  for (const part of [
    'failed the lock is held tried again in 1.5 s',
    'repaired 5 units changed by another program: nat A , nat B and 3 more',
    'refused shop/cart:http : no such chain unit nat A',
    'blocked nat KUBE-X stays, emptied: a foreign rule leads there, -A OUTPUT -j KUBE-X',
  ])
    expect(line).toContain(part)
})

test('no text of a sync becomes HTML', async () => {
  const bad = hostile<SyncRecord>({
    ...SYNC,
    ...{ changed: { count: 9, names: ['x'] }, drift: { count: 2, units: ['x'] }, refused: [REFUSED] },
    ...{ blocked: [{ unit: 'x', by: 'x' }], failure: { reason: 'x', retryMs: 1 } },
  })
  expect(isInert(await shown(SYNCS, source(bad)))).toBe(true)
})
