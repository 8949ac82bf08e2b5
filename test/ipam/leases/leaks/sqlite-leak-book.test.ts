import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AddressConflict, Suspicion } from '#ipam/leases/leaks/leak-book.ts'
import { SqliteLeakBook } from '#ipam/leases/leaks/sqlite-leak-book.ts'
import type { Holder } from '#ipam/leases/lease-book.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { address, heldLeases, holder, leaseRequest, range, SMALL, SMALL6 } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

let folder: string
let clock: PaperClock
let book: SqliteLeaseBook
let leaks: SqliteLeakBook
beforeEach(() => {
  folder = memoryFolder('leak-book-')
  clock = new PaperClock(1_000_000)
  const path = join(folder, 'ipam.db')
  book = SqliteLeaseBook.open({ path, clock, boot: 'b' })
  leaks = SqliteLeakBook.open(path, clock)
})
afterEach(() => {
  book.verify()
  book.close()
  leaks.close()
  rmSync(folder, { recursive: true })
})

const suspicion = (container: string, more: Partial<Suspicion> = {}): Suspicion => ({
  ...holder(container),
  ...{ at: 1, count: 1, since: 2, last: 3, verdict: 'suspect', why: 'not in use', ...more },
})
const conflict = (ip: string, container: string, network = 'mynet'): AddressConflict => ({
  ...holder(container, network),
  ...{ address: address(ip), netns: `/run/netns/${container}`, namespaceId: '4:1', boot: 'b', at: 5 },
})

test('all leases that are held, however many, are listed', async () => {
  const sets = [[range('10.0.0.0/16 10.0.0.1-10.0.255.254')]] as const
  await Promise.all(Array.from({ length: 1200 }, (_, i) => book.take(leaseRequest(`c${i}`, { sets }))))
  await book.release(holder('c7'), 'DEL')
  const containers = (await heldLeases(leaks)).map(({ container }) => container)
  expect(new Set(containers).size).toBe(1199)
  expect(containers).toHaveLength(1199)
})

test('a page has all leases of its holders, and what is suspected of those up to its last', async () => {
  for (const container of ['a', 'c', 'e']) await book.take(leaseRequest(container, { sets: [SMALL, SMALL6] }))
  await leaks.keep(
    ['b', 'c', 'd', 'f'].map(container => suspicion(container)),
    [],
  )
  const names = (of: readonly { readonly container: string }[]) => of.map(({ container }) => container).join(' ')
  const pages: unknown[] = []
  let last: Holder | undefined
  do {
    const page = await leaks.page(last, 3)
    pages.push([names(page.leases), names(page.suspicions)])
    last = page.last
  } while (last !== undefined)
  expect(pages).toEqual([
    ['a a c c', 'b c'],
    ['e e', 'd f'],
  ])
})

test('of a page, what is known and not among the next is forgotten, and nothing is written where they are the same', async () => {
  await leaks.keep(
    ['a', 'b', 'c'].map(container => suspicion(container)),
    [],
  )
  await leaks.keepSuspicions([suspicion('a'), suspicion('b')], [suspicion('b', { count: 2 })])
  expect(await leaks.suspicions()).toEqual([suspicion('b', { count: 2 }), suspicion('c')])
  const size = () => statSync(join(folder, 'ipam.db-wal')).size
  const before = size()
  await leaks.keepSuspicions([suspicion('c')], [suspicion('c')])
  expect(size()).toBe(before)
})

test('who holds an address is found in every network, also in one that is apart', async () => {
  const requested = [address('10.9.0.3')]
  await book.take(leaseRequest('a', { requested }))
  await book.take(leaseRequest('b', { network: 'apart', overlap: 'allow', requested }))
  await book.take(leaseRequest('c', { requested: [address('10.9.0.4')], cooldownMs: 10_000 }))
  await book.release(holder('c'), 'DEL')
  const held = await leaks.holding([address('10.9.0.3'), address('10.9.0.4')])
  expect(held.map(({ container }) => container)).toEqual(['a', 'b'])
})

describe('what is released', () => {
  test('is what was judged, all of it, with its reason', async () => {
    const leases = await book.take(leaseRequest('a', { sets: [SMALL, SMALL6], cooldownMs: 10_000 }))
    await leaks.keep([suspicion('a'), suspicion('b')], [])
    expect(await leaks.areHeld([...leases].reverse())).toBe(true)
    expect(await leaks.releaseHeld(leases, 'leaked')).toEqual(leases)
    expect(await leaks.areHeld(leases)).toBe(false)
    expect((await leaks.ended('b', 10)).map(({ address, why }) => [address, why])).toEqual([
      ['fd00:9::2', 'leaked'],
      ['10.9.0.2', 'leaked'],
    ])
    expect(book.counts()).toEqual([{ network: 'mynet', state: 'cooldown', count: 2 }])
    expect(await leaks.suspicions()).toEqual([suspicion('b')])
  })

  const OTHERS: readonly (readonly [string, number, Parameters<typeof leaseRequest>[1]])[] = [
    ['of another time', 1, {}],
    ['in another namespace', 0, { namespaceId: '4:2' }],
    ['of more addresses', 0, { sets: [SMALL, SMALL6] }],
  ]
  test.each(OTHERS)('is not a lease %s', async (_, passedMs, more) => {
    const leases = await book.take(leaseRequest('a', { netns: '/run/netns/a', namespaceId: '4:1' }))
    await book.release(holder('a'), 'DEL')
    await clock.advance(passedMs)
    const now = await book.take(
      leaseRequest('a', { netns: '/run/netns/a', namespaceId: '4:1', requested: [leases[0]!.address], ...more }),
    )
    expect(await leaks.areHeld(leases)).toBe(false)
    expect(await leaks.releaseHeld(leases, 'leaked')).toEqual([])
    expect(await book.held(holder('a'))).toEqual(now)
  })
})

describe('what is kept', () => {
  test('outlives the process, in place of what was there', async () => {
    await leaks.keep([suspicion('a'), suspicion('b')], [conflict('10.9.0.3', 'x')])
    const next = [suspicion('b', { count: 2, verdict: 'leaked' }), suspicion('c')]
    await leaks.keep(next, [])
    const again = SqliteLeakBook.open(join(folder, 'ipam.db'), clock)
    expect([await again.suspicions(), await again.conflicts()]).toEqual([next, []])
    again.close()
  })

  test('is not written where it is the same', async () => {
    const [suspicions, conflicts] = [[suspicion('a')], [conflict('10.9.0.3', 'x')]]
    await leaks.keep(suspicions, conflicts)
    const size = () => statSync(join(folder, 'ipam.db-wal')).size
    const before = size()
    const found = { ...conflicts[0]!, at: 5.2, isNew: true }
    await leaks.keep([{ ...suspicions[0]! }], [found])
    expect(size()).toBe(before)
    await leaks.keep([], conflicts)
    expect(size()).toBeGreaterThan(before)
  })
})

describe('an address in conflict', () => {
  test('is given to no pod of any network with which it is shared, and counted as in use elsewhere', async () => {
    await book.take(leaseRequest('a'))
    await leaks.keep([], [conflict('10.9.0.3', 'x')])
    expect((await book.take(leaseRequest('b')))[0]!.address).toBe('10.9.0.4')
    const [other] = await book.take(leaseRequest('c', { network: 'other', requested: [address('10.9.0.5')] }))
    expect(other!.address).toBe('10.9.0.5')
    await expect(
      book.take(leaseRequest('d', { network: 'other', requested: [address('10.9.0.3')] })),
    ).rejects.toMatchObject({
      refusal: { kind: 'taken', lease: { container: 'x' } },
    })
    const [usage] = await book.usage({ network: 'mynet', sets: [SMALL], overlap: 'refuse' })
    expect(usage).toMatchObject({ assigned: 2, elsewhere: 2 })
  })

  test('of a network that is apart is no matter to the others', async () => {
    await book.take(leaseRequest('a', { network: 'apart', overlap: 'allow' }))
    await leaks.keep([], [conflict('10.9.0.2', 'x', 'apart')])
    expect((await book.take(leaseRequest('b')))[0]!.address).toBe('10.9.0.2')
    expect((await book.take(leaseRequest('c', { network: 'apart', overlap: 'allow' })))[0]!.address).toBe('10.9.0.3')
  })
})
