import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Database } from '#ipam/leases/database/database.ts'
import { damaged, noRoomLeft } from '#ipam/leases/database/fault.ts'
import { GroupCommit } from '#ipam/leases/database/group-commit.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { leaseRequest } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

// Changes of pods that start at once share a wait for the disk, and nothing else.

let folder: string
let path: string
let database: Database
beforeEach(() => {
  folder = memoryFolder('group-')
  path = join(folder, 'ipam.db')
  database = Database.open(path)
})
afterEach(() => {
  vi.restoreAllMocks()
  database.close()
  rmSync(folder, { recursive: true })
})

/** Any row there can be without a lease. */
const write = (name: string): void => {
  database.run('INSERT INTO handover (network, at) VALUES (?, 1)', name)
}
const written = (): readonly string[] =>
  database.read(() => database.all('SELECT network FROM handover ORDER BY network')).map(row => String(row.network))

test('what is asked for in one turn is one transaction', async () => {
  const commits = vi.spyOn(database, 'writeNow')
  const changes = new GroupCommit(database)
  await Promise.all([1, 2, 3].map(number => changes.change(() => number)))
  expect(commits).toHaveBeenCalledTimes(1)
})

test('callers that are on their way are waited for', async () => {
  const commits = vi.spyOn(database, 'writeNow')
  let onTheirWay = 3
  const changes = new GroupCommit(database, () => onTheirWay)
  const first = changes.change(() => 1)
  const second = new Promise(resolve => setImmediate(resolve)).then(() => changes.change(() => 2))
  onTheirWay = 2
  expect(await Promise.all([first, second])).toEqual([1, 2])
  expect(commits).toHaveBeenCalledTimes(1)
})

test('but not for long: one that never asks keeps no pod waiting', async () => {
  const changes = new GroupCommit(database, () => 2)
  expect(await changes.change(() => 1)).toBe(1)
})

test('a change that follows on the answer to another is made, too', async () => {
  const changes = new GroupCommit(database)
  const first = changes.change(() => write('a')).then(() => changes.change(() => write('b')))
  await Promise.all([first, changes.change(() => write('c'))])
  expect(written()).toEqual(['a', 'b', 'c'])
})

test('however many fail, each has its own answer, and what is in the database is what was said to be', async () => {
  const change = fc.record({ kind: fc.constantFrom('plain' as const, 'freeing' as const), fails: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(change, { maxLength: 4 }), { minLength: 1, maxLength: 4 }), async turns => {
      database.write(() => database.run('DELETE FROM handover'))
      const changes = new GroupCommit(database)
      const answers: Promise<string>[] = []
      const expected: string[] = []
      for (const [turn, asked] of turns.entries()) {
        for (const [i, { kind, fails }] of asked.entries()) {
          const name = `${turn}-${i}`
          if (!fails) expected.push(name)
          const work = () => {
            write(name)
            if (fails) throw new Error(name)
            return name
          }
          answers.push(changes.change(work, kind).catch((error: Error) => `failed ${error.message}`))
        }
        await new Promise(setImmediate)
      }
      const names = turns.flatMap((asked, turn) =>
        asked.map(({ fails }, i) => (fails ? `failed ${turn}-${i}` : `${turn}-${i}`)),
      )
      expect(await Promise.all(answers)).toEqual(names)
      expect(written()).toEqual(expected.toSorted())
    }),
    { numRuns: 50 },
  )
})

test('where the file itself fails, all of the transaction fails with it, and nothing is written', async () => {
  const changes = new GroupCommit(database)
  const broken = () => {
    throw damaged(path, 'test')
  }
  const outcomes = await Promise.allSettled([
    changes.change(() => write('a')),
    changes.change(broken),
    changes.change(() => write('b'), 'freeing'),
  ])
  expect(outcomes).toEqual(
    outcomes.map(() => ({ status: 'rejected', reason: expect.objectContaining({ fault: 'damaged' }) })),
  )
  expect(written()).toEqual([])
  await changes.change(() => write('c'))
  expect(written()).toEqual(['c'])
})

describe('on a full disk', () => {
  const full = { status: 'rejected', reason: expect.objectContaining({ fault: 'full' }) }
  const refusing = () => {
    throw noRoomLeft(path)
  }

  test('what ends leases goes on alone, and what takes some fails', async () => {
    vi.spyOn(database, 'writeNow').mockImplementation(refusing)
    const changes = new GroupCommit(database)
    const outcomes = await Promise.allSettled([
      changes.change(() => 'taken'),
      changes.change(() => 'released', 'freeing'),
      changes.change(() => 'taken'),
    ])
    expect(outcomes).toEqual([full, { status: 'fulfilled', value: 'released' }, full])
    expect(await changes.change(() => 'released', 'freeing')).toBe('released')
  })

  test('also what is waiting when the program ends', async () => {
    const changes = new GroupCommit(database)
    vi.spyOn(database, 'write').mockImplementationOnce(refusing)
    const outcomes = Promise.allSettled([
      changes.change(() => write('taken')),
      changes.change(() => write('released'), 'freeing'),
    ])
    changes.finish()
    expect(written()).toEqual(['released'])
    expect(await outcomes).toEqual([full, { status: 'fulfilled', value: undefined }])
  })

  test('without any room at all, each is answered once', async () => {
    for (const way of ['writeNow', 'write'] as const) vi.spyOn(database, way).mockImplementation(refusing)
    const changes = new GroupCommit(database)
    const asked = [changes.change(() => 1), changes.change(() => 2, 'freeing')]
    expect(await Promise.allSettled(asked)).toEqual([full, full])
    vi.restoreAllMocks()
    expect(await changes.change(() => 3)).toBe(3)
  })
})

describe('beside another process that writes', () => {
  let book: SqliteLeaseBook
  beforeEach(() => {
    book = SqliteLeaseBook.open({ path, clock: new PaperClock(1000), boot: 'b' })
  })
  const take = async (container: string) => (await book.take(leaseRequest(container))).map(({ address }) => address)

  test('changes wait together, and other work goes on', async () => {
    const other = Database.open(path)
    other.run('BEGIN IMMEDIATE')
    const order: string[] = []
    const first = take('a').then(() => order.push('a'))
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    const second = take('b').then(() => order.push('b'))
    await new Promise(setImmediate)
    order.push('other work')
    other.run('COMMIT')
    other.close()
    await Promise.all([first, second])
    expect(order).toEqual(['other work', 'a', 'b'])
    book.close()
  })

  test('for ever, each is refused with the reason, and the next one is made once it has ended', async () => {
    const other = Database.open(path)
    other.run('BEGIN IMMEDIATE')
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 6000))
    const outcomes = await Promise.allSettled([take('a'), take('b')])
    expect(outcomes).toEqual(
      outcomes.map(() => ({ status: 'rejected', reason: expect.objectContaining({ fault: 'busy' }) })),
    )
    other.run('COMMIT')
    other.close()
    expect(await take('c')).toEqual(['10.9.0.2'])
    book.close()
  })
})

describe('changes of one turn', () => {
  test('are one transaction, each refused alone', async () => {
    const book = SqliteLeaseBook.on(database.share(), { clock: new PaperClock(1000), boot: 'b' })
    const names = ['a', 'b', 'a', 'c', 'd', 'e', 'f', 'g']
    const outcomes = await Promise.allSettled(names.map(name => book.take(leaseRequest(name))))
    expect(outcomes.map(one => (one.status === 'fulfilled' ? one.value[0]?.address : one.reason.refusal.kind))).toEqual(
      ['10.9.0.2', '10.9.0.3', 'duplicate', '10.9.0.4', '10.9.0.5', '10.9.0.6', 'full', 'full'],
    )
    book.verify()
    book.close()
  })

  test('that are waiting when the book is closed are made', async () => {
    const book = SqliteLeaseBook.open({ path, clock: new PaperClock(1000), boot: 'b' })
    const taken = book.take(leaseRequest('a'))
    book.close()
    expect(await taken).toMatchObject([{ address: '10.9.0.2' }])
    expect(readLeases(path, 0)?.[0]?.leases).toHaveLength(1)
  })
})
