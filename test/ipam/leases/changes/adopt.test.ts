import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { OwnerLook } from '#ipam/leases/changes/adopt.ts'
import type { AddressFile } from '#ipam/leases/directory/address-file.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { readHolders } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import type { Address } from '#values/address.ts'
import { address, holder, leaseRequest } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'
import { fileOf, NETWORKS, SharedNetworks, step } from './shared-networks.ts'

// Another program's leases become ours. Between an export and the next import it gives the addresses: what its directory says then
// is how it is.

const [TWO, THREE, FOUR] = [address('10.9.0.2'), address('10.9.0.3'), address('10.9.0.4')]

let folder: string
let clock: PaperClock
let book: SqliteLeaseBook

beforeEach(async () => {
  folder = memoryFolder('handover-')
  clock = new PaperClock(1000)
  book = SqliteLeaseBook.open({ path: join(folder, 'ipam.db'), clock, boot: 'b' })
  for (const container of ['a', 'b']) await book.take(leaseRequest(container, { cooldownMs: 30_000 }))
  await clock.advance(1000)
})
afterEach(() => {
  book.verify()
  book.close()
  rmSync(folder, { recursive: true })
})

function imported(files: readonly (readonly [Address, string])[]) {
  const content = {
    files: files.map(([one, container]) => ({ address: one, container, ifname: 'eth0' })),
    given: new Map(),
  }
  return book.adopt({ network: 'mynet', content, cooldownMs: 0 })
}

const held = async (container: string) => (await book.held(holder(container))).map(lease => lease.address)

describe('after an export', () => {
  test('what it has ended is ended, and what it gave again is held by the new container', async () => {
    await book.handOver(['mynet'], clock.now())
    await clock.advance(1000)
    const { leases, ended, known, conflicts } = await imported([
      [TWO, 'c'],
      [FOUR, 'd'],
    ])
    expect([leases.length, ended.length, known, conflicts]).toEqual([2, 2, 0, []])
    expect([await held('a'), await held('b'), await held('c'), await held('d')]).toEqual([[], [], [TWO], [FOUR]])
    expect(readHolders(join(folder, 'ipam.db'), THREE)).toMatchObject([
      { container: 'b', why: "host-local's directory no longer has it" },
    ])
  })

  test('a pod that has changed its address has the new one alone', async () => {
    await book.handOver(['mynet'], clock.now())
    await imported([
      [THREE, 'a'],
      [TWO, 'b'],
    ])
    expect([await held('a'), await held('b')]).toEqual([[THREE], [TWO]])
  })

  test('what was given here since the export stays, and so does all of another network', async () => {
    await book.handOver(['mynet'], clock.now())
    await book.take(leaseRequest('late'))
    await book.take(leaseRequest('a', { network: 'other' }))
    expect(await imported([[TWO, 'a']])).toMatchObject({ ended: [{ container: 'b' }], known: 1 })
    expect([await held('a'), await held('b'), await held('late')]).toEqual([[TWO], [], [FOUR]])
    expect(await book.held(holder('a', 'other'))).toHaveLength(1)
  })

  test('a second import, or one without an export, ends nothing', async () => {
    expect(await imported([])).toMatchObject({ ended: [] })
    await book.handOver(['mynet'], clock.now())
    expect(await imported([[TWO, 'a']])).toMatchObject({ ended: [{ container: 'b' }] })
    expect(await imported([])).toMatchObject({ ended: [] })
    expect(await held('a')).toEqual([TWO])
  })

  test('an address that cools down here is held where the same container has it again there', async () => {
    await book.release(holder('a'), 'DEL')
    await book.handOver(['mynet'], clock.now())
    const { leases, conflicts } = await imported([
      [TWO, 'a'],
      [THREE, 'b'],
    ])
    expect([leases.length, conflicts, await held('a')]).toEqual([1, [], [TWO]])
    await clock.advance(60_000)
    expect((await book.take(leaseRequest('next'))).map(lease => lease.address)).toEqual([FOUR])
  })

  test('an address that cools down here, and is in use there, is held', async () => {
    await book.release(holder('a'), 'DEL')
    await book.handOver(['mynet'], clock.now())
    expect(
      await imported([
        [TWO, 'c'],
        [THREE, 'b'],
      ]),
    ).toMatchObject({ leases: [{ container: 'c' }], conflicts: [] })
    await clock.advance(60_000)
    expect((await book.take(leaseRequest('next'))).map(lease => lease.address)).toEqual([FOUR])
  })
})

describe('an import', () => {
  const node = new SharedNetworks()
  afterAll(() => node.end())

  const files = fc.uniqueArray(
    fc.record({
      address: fc.integer({ min: 2, max: 9 }).map(n => `10.9.0.${n}` as Address),
      container: fc.constantFrom('a', 'b', 'c', 'pod'),
      ifname: fc.constantFrom('eth0', 'eth1', ''),
    }),
    { selector: file => file.address, maxLength: 6 },
  )
  const held = () =>
    node.leases().map(({ network, address, container, ifname, state }) => [network, address, container, ifname, state])

  test('into whatever was there takes from no pod, loses no file, and is the same the second time', () => {
    const steps = fc.array(step, { maxLength: 25, size: 'max' })
    fc.assert(
      fc.property(steps, fc.constantFrom(...NETWORKS), files, (before, network, found) => {
        node.walk(() => {
          for (const one of before) node.go(one)
          const was = node.leases().filter(({ state }) => state === 'assigned')
          const { leases, ended, known, conflicts } = node.adopt(network, found)
          expect([ended, leases.length + known + conflicts.length]).toEqual([[], found.length])
          const now = node.leases()
          for (const lease of was) expect(now).toContainEqual(lease)
          for (const file of found) {
            const isIn = conflicts.some(conflict => conflict.file === file)
            const own = now.some(
              one => one.network === network && one.address === file.address && one.container === file.container,
            )
            if (!isIn) expect(own, file.address).toBe(true)
            const others = node
              .usersOf(file.address, network)
              .filter(user => user !== `${file.container} of ${network}`)
            // One who has it without a lease is no reason to have none of a pod that says it has it, too.
            if (!isIn)
              expect(others.filter(user => !user.startsWith('found-')).length).toBeLessThanOrEqual(bothHad(was, file))
          }
          const first = held()
          const again = node.adopt(network, found)
          expect([again.leases, again.conflicts.length]).toEqual([[], conflicts.length])
          expect(held()).toEqual(first)
        })
      }),
      { numRuns: 200 },
    )
  })

  /** Before the import, beside the one of the file. */
  function bothHad(was: readonly Lease[], { address, container }: AddressFile): number {
    const all = was.filter(lease => lease.address === address)
    return all.some(lease => lease.container === container) ? all.length - 1 : 0
  }

  test('is the same in whichever order its files come', () => {
    fc.assert(
      fc.property(files, found => {
        const results: unknown[] = []
        for (const order of [found, found.toReversed()])
          node.walk(() => {
            node.adopt('red', order)
            results.push(held())
          })
        expect(results[0]).toEqual(results[1])
      }),
      { numRuns: 50 },
    )
  })

  test('puts each address of a container into a set of its own, that of the family first', () => {
    const found = ['fd00:9::2', '10.9.0.2', 'fd00:9::3', '10.9.0.3'].map(ip => fileOf(address(ip), 'a'))
    const given = new Map([
      [1, address('10.9.0.9')],
      [0, address('fd00:9::9')],
    ])
    const path = join(folder, 'sets.db')
    const other = SqliteLeaseBook.open({ path, clock, boot: 'b' })
    return other.adopt({ network: 'mynet', content: { files: found, given }, cooldownMs: 0 }).then(({ leases }) => {
      expect(leases.map(({ address, set }) => [address, set])).toEqual([
        ['fd00:9::2', 0],
        ['10.9.0.2', 1],
        ['fd00:9::3', 2],
        ['10.9.0.3', 3],
      ])
      other.close()
    })
  })

  test('knows a pod from the runtime, where the directory has its container alone', async () => {
    const content = { files: [fileOf(FOUR, 'c'), fileOf(address('10.9.0.5'), 'unknown')], given: new Map() }
    const ownerOf: OwnerLook = ({ container }) => (container === 'c' ? { pod: 'shop/web', uid: 'u' } : undefined)
    const { leases } = await book.adopt({ network: 'mynet', content, cooldownMs: 0, ownerOf })
    expect(leases.map(({ container, pod, uid }) => [container, pod, uid])).toEqual([
      ['c', 'shop/web', 'u'],
      ['unknown', undefined, undefined],
    ])
  })

  test('does not bring back what a DEL has ended here since', async () => {
    await book.release(holder('a'), 'DEL')
    const { leases, conflicts } = await imported([[TWO, 'a']])
    expect([leases, conflicts.length, (await book.held(holder('a'))).length]).toEqual([[], 1, 0])
  })

  test('of an address that two networks have, of which one cools down, changes the other in no way', async () => {
    await book.take(leaseRequest('x', { network: 'apart', overlap: 'allow', requested: [TWO] }))
    await book.take(leaseRequest('y', { network: 'apart', requested: [FOUR] }))
    await book.release(holder('a'), 'DEL')
    // TWO cools down in the scope of the node, and is held by x in the scope of before.
    const content = { files: [fileOf(TWO, 'x')], given: new Map() }
    expect(await book.adopt({ network: 'apart', content, cooldownMs: 0 })).toMatchObject({ leases: [], known: 1 })
    expect(await book.held(holder('x', 'apart'))).toMatchObject([{ address: TWO }])
  })
})
