import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChangeContext } from '#ipam/leases/changes/context.ts'
import {
  endExpired,
  endLeftOvers,
  endSomeLeftOvers,
  expired,
  leftOvers,
  moveToScope,
  type SweepPart,
} from '#ipam/leases/changes/sweep.ts'
import { Database } from '#ipam/leases/database/database.ts'
import { endLease, insertLease, type LeaseRow, leaseRows } from '#ipam/leases/records/lease-rows.ts'
import { runFaults } from '#ipam/leases/records/runs.ts'
import { sortKey } from '#ipam/leases/records/sort-key.ts'
import { addressFromNumber } from '#values/address.ts'
import { holder } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

// What is swept away is what no pod has, all of it and nothing else.

let folder: string
let database: Database
beforeAll(() => {
  folder = memoryFolder('sweep-')
  database = Database.open(join(folder, 'ipam.db'))
})
afterAll(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

function onEmptyNode(work: () => void): void {
  database.write(() => {
    for (const table of ['lease', 'run', 'history']) database.run(`DELETE FROM ${table}`)
    work()
    expect(runFaults(database)).toEqual([])
  })
}

interface Words {
  readonly network?: string
  readonly scope?: string
  readonly boot?: string
  readonly at?: number
  readonly cooldownMs?: number
  readonly netns?: string
}

function lease(n: number, { network = 'mynet', scope = '', boot = 'now', at = 0, cooldownMs = 0, netns }: Words = {}) {
  const owner = { ...holder(`c${n}`, network), ...(netns !== undefined && { netns, namespaceId: '4:1' }) }
  const key = sortKey(addressFromNumber('ipv4', 0x0a090000n + BigInt(n)))
  return insertLease(database, { owner, scope, key, set: 0, boot, at, cooldownMs })
}

/** Released at that time. */
function cooling(n: number, at: number, cooldownMs: number): LeaseRow {
  endLease(database, lease(n, { cooldownMs }), { at, why: 'DEL' })
  return leaseRows(database, 'WHERE container = ?', `c${n}`)[0]!
}

const containers = (rows: readonly LeaseRow[]) => rows.map(({ container }) => container).toSorted()
const rows = () => leaseRows(database, '')
const NOW = 1_000_000

describe('what has cooled down', () => {
  test('goes when its time has come, and no sooner', () => {
    const cooldown = fc.record({ at: fc.integer({ min: NOW - 5000, max: NOW }), ms: fc.integer({ min: 1, max: 5000 }) })
    fc.assert(
      fc.property(fc.array(cooldown, { maxLength: 12 }), fc.integer({ min: 1, max: 15 }), (all, most) => {
        onEmptyNode(() => {
          for (const [n, { at, ms }] of all.entries()) cooling(n, at, ms)
          lease(99)
          const due = all.flatMap(({ at, ms }, n) => (at + ms <= NOW ? [{ n, until: at + ms }] : []))
          const ended = Math.min(most, due.length)
          expect(endExpired({ database, now: NOW }, most)).toBe(ended)
          const left = rows().filter(({ state }) => state === 'cooldown')
          expect(left).toHaveLength(all.length - ended)
          // Those that were due first went first.
          const times = due.map(({ until }) => until).toSorted((a, b) => a - b)
          const overdue = left.flatMap(({ until }) => (until! <= NOW ? [until!] : []))
          expect(overdue.toSorted((a, b) => a - b)).toEqual(times.slice(ended))
          endExpired({ database, now: NOW }, 100)
          expect(expired({ database, now: NOW }, 1)).toEqual([])
          expect(rows().filter(({ state }) => state === 'assigned')).toHaveLength(1)
        })
      }),
      { numRuns: 50 },
    )
  })

  test('goes at once where its release is yet to come: the clock was set back by more than it is corrected by', () => {
    onEmptyNode(() => {
      cooling(1, NOW + 60_000, 1000)
      expect(endExpired({ database, now: NOW }, 8)).toBe(0)
      cooling(2, NOW + 3_600_000, 1000)
      expect(containers(expired({ database, now: NOW }, 8))).toEqual(['c2'])
      expect([endExpired({ database, now: NOW }, 8), containers(rows())]).toEqual([1, ['c1']])
    })
  })
})

describe('what is left over', () => {
  const context = (more: Partial<ChangeContext> = {}): ChangeContext => ({
    ...{ database, now: NOW, boot: 'now', witness: () => undefined, ...more },
  })
  const all = (most: number, of = context()): readonly LeaseRow[] => {
    const ended: LeaseRow[] = []
    for (let from: SweepPart['next'] = { scope: '', key: '' }; from !== undefined; ) {
      const part = endSomeLeftOvers(of, from, most)
      ended.push(...part.ended)
      from = part.next
    }
    return ended
  }

  test('is of an earlier start, and its namespace is gone; by parts the same is found as at once', () => {
    const one = fc.record({
      boot: fc.constantFrom('now', 'before', ''),
      network: fc.constantFrom('mynet', 'apart'),
      netns: fc.constantFrom(undefined, 'gone', 'same', 'another', 'unseen'),
    })
    const witness = (path: string) => ({ same: '4:1', another: '4:2', unseen: 'unseen' })[path]
    fc.assert(
      fc.property(fc.array(one, { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), (leases, most) => {
        onEmptyNode(() => {
          for (const [n, { netns, network, boot }] of leases.entries()) {
            const scope = network === 'apart' ? 'apart' : ''
            lease(n, { network, scope, boot, cooldownMs: 1000, ...(netns !== undefined && { netns }) })
          }
          const isOver = (n: number) => {
            const { boot, netns } = leases[n]!
            return boot === 'before' && netns !== 'same' && netns !== 'unseen'
          }
          const expected = leases.flatMap((_, n) => (isOver(n) ? [`c${n}`] : [])).toSorted()
          const looked = ['', 'apart'].flatMap(scope => leftOvers(context({ witness }), scope))
          expect(containers(looked)).toEqual(expected)
          expect(containers(all(most, context({ witness })))).toEqual(expected)
          // Without a cooldown: no connection outlives the machine.
          expect(rows()).toHaveLength(leases.length - expected.length)
        })
      }),
      { numRuns: 60 },
    )
  })

  test('is not known on a machine that does not say when it has started', () => {
    onEmptyNode(() => {
      lease(1, { boot: 'before' })
      expect([all(8, context({ boot: '' })), leftOvers(context({ boot: '' }), '')]).toEqual([[], []])
      expect(endLeftOvers(context(), '')).toBe(1)
    })
  })
})

describe('a network that moves to another scope', () => {
  test('keeps all it has, in the new scope unless another network has the address there', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(20), { maxLength: 10 }), fc.subarray([1, 2, 3, 4, 5]), (held, others) => {
        onEmptyNode(() => {
          for (const n of held) lease(n, { network: 'mynet', scope: 'mynet' })
          for (const n of others) lease(n, { network: 'other' })
          moveToScope(database, 'mynet', '')
          const own = rows().filter(({ network }) => network === 'mynet')
          expect(own).toHaveLength(held.length)
          const kept = own.filter(({ scope }) => scope === 'mynet')
          expect(containers(kept)).toEqual(
            held
              .filter(n => others.includes(n))
              .map(n => `c${n}`)
              .toSorted(),
          )
          moveToScope(database, 'mynet', 'mynet')
          expect(rows().filter(({ network, scope }) => network === 'mynet' && scope !== 'mynet')).toEqual([])
          expect(rows().filter(({ network }) => network === 'other')).toHaveLength(others.length)
        })
      }),
      { numRuns: 50 },
    )
  })
})
