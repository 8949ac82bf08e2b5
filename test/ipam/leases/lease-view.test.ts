import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LookMoment, readHistoryStart, readNext, readUsages } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { holder, leaseRequest, range, SMALL, SMALL6 } from '../../support/leases.ts'
import { memoryFolder } from '../../support/memory-folder.ts'

let folder: string
let clock: PaperClock
let path: string
beforeEach(() => {
  folder = memoryFolder('next-')
  path = join(folder, 'ipam.db')
  clock = new PaperClock(1_000_000)
})
afterEach(() => rmSync(folder, { recursive: true }))

function open(boot = 'b'): SqliteLeaseBook {
  return SqliteLeaseBook.open({ path, clock, boot, witness: () => undefined })
}

function moment(boot = 'b'): LookMoment {
  return { path, now: clock.now(), boot, witness: () => undefined }
}

const next = (boot?: string) => readNext(moment(boot))!.map(({ address }) => address)

describe('the next address', () => {
  test('is that of every set, and is not taken by looking', async () => {
    const book = open()
    expect(next()).toEqual([])
    await book.take(leaseRequest('a', { sets: [SMALL, SMALL6] }))
    expect(next()).toEqual(['10.9.0.3', 'fd00:9::3'])
    expect(next()).toEqual(['10.9.0.3', 'fd00:9::3'])
    const taken = await book.take(leaseRequest('b', { sets: [SMALL, SMALL6] }))
    expect(taken.map(({ address }) => address)).toEqual(['10.9.0.3', 'fd00:9::3'])
    book.close()
  })

  test('passes over what another network holds, its gateway, and what cools down', async () => {
    const book = open()
    await book.take(leaseRequest('a'))
    const wide = [range('10.9.0.0/24 10.9.0.1-10.9.0.254', '10.9.0.5')] as const
    const other = { network: 'other', sets: [wide], requested: ['10.9.0.3'] as never }
    await book.take(leaseRequest('x', other))
    await book.take(leaseRequest('b', { cooldownMs: 60_000 }))
    await book.release(holder('b'), 'DEL')
    expect(readNext(moment())!.map(({ network, address }) => [network, address])).toEqual([
      ['mynet', '10.9.0.6'],
      ['other', '10.9.0.6'],
    ])
    book.close()
  })

  test('is one of an earlier start of the machine where no other is free, as an ADD would take it', async () => {
    const before = open('earlier')
    for (const name of ['a', 'b', 'c', 'd', 'e']) await before.take(leaseRequest(name, { netns: `/n/${name}` }))
    before.close()
    expect(next('earlier')).toEqual([undefined])
    expect(next('later')).toEqual(['10.9.0.2'])
    const book = open('later')
    expect((await book.take(leaseRequest('f')))[0]!.address).toBe('10.9.0.2')
    book.close()
  })

  test('is absent where none is free, beside what has become of them', async () => {
    const book = open()
    for (const name of ['a', 'b', 'c', 'd', 'e']) await book.take(leaseRequest(name, { cooldownMs: 5000 }))
    await book.release(holder('a'), 'DEL')
    const [set] = readNext(moment())!
    expect(set!.address).toBeUndefined()
    expect(set!.usage).toMatchObject({ size: 5n, assigned: 4, cooling: 1, freeAt: clock.now() + 5000 })
    await clock.advance(5000)
    expect(next()).toEqual(['10.9.0.2'])
    book.close()
  })
})

test('how full each set is is read beside the process that writes', async () => {
  const book = open()
  await book.take(leaseRequest('a', { sets: [SMALL, SMALL6] }))
  await book.release(holder('a'), 'DEL')
  await clock.advance(500)
  await book.take(leaseRequest('b', { sets: [SMALL, SMALL6] }))
  expect(readUsages(moment())).toEqual(book.usages().map(set => ({ ...set, since: 1_000_500 })))
  expect(book.usages().map(({ set, given, usage }) => [set, given, usage.size, usage.assigned])).toEqual([
    [0, '10.9.0.3', 5n, 1],
    [1, 'fd00:9::3', 6n, 1],
  ])
  book.close()
})

test('since when leases are remembered is known once the first were forgotten', async () => {
  const book = open()
  for (const name of ['a', 'b']) {
    await book.take(leaseRequest(name))
    await clock.advance(500)
    await book.release(holder(name), 'DEL')
  }
  expect(readHistoryStart(path)).toBeUndefined()
  const sqlite = new DatabaseSync(path)
  sqlite.exec('DELETE FROM history WHERE id = 1')
  sqlite.close()
  expect(readHistoryStart(path)).toBe(1_001_000)
  book.close()
})
