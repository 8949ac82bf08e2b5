import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { leaseViews } from '#cni/daemon/page/lease-views.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { holder, leaseRequest, SMALL } from '../../../support/leases.ts'

let folder: string
let database: string
let clock: PaperClock
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lease-views-'))
  database = join(folder, 'ipam.db')
  clock = new PaperClock(1_000_000)
})
afterEach(() => rmSync(folder, { recursive: true }))

function book(): SqliteLeaseBook {
  return SqliteLeaseBook.open({ path: database, clock, boot: 'b' })
}

describe('the addresses of a node, for its page', () => {
  test('are not there while no program gives any', async () => {
    const { addresses, sets } = await leaseViews({ database, clock })
    expect([addresses.isThere(), addresses.networks(), sets()]).toEqual([false, [], []])
    book().close()
    expect(addresses.isThere()).toBe(true)
  })

  test('are the table of leases, each with its pod and since when', async () => {
    const writing = book()
    await writing.take(leaseRequest('a', { pod: 'shop/web-1', sets: [SMALL] }))
    await writing.take(leaseRequest('b', { pod: 'shop/web-2', sets: [SMALL], cooldownMs: 60_000 }))
    await writing.release(holder('b'), 'DEL')
    const { addresses, sets } = await leaseViews({ database, clock })
    const [network] = addresses.networks()!
    expect(network).toMatchObject({ network: 'mynet', subnets: ['10.9.0.0/29'] })
    expect(network!.rows.slice(0, 4)).toEqual([
      { ip: '10.9.0.1', status: 'RESERVED', isGood: true, reason: 'gateway' },
      {
        ...{ ip: '10.9.0.2', status: 'ASSIGNED', isGood: true, pod: 'shop/web-1', container: 'a', ifname: 'eth0' },
        since: 1_000_000,
      },
      {
        ...{ ip: '10.9.0.3', status: 'COOLDOWN', isGood: true, pod: 'shop/web-2', container: 'b', ifname: 'eth0' },
        ...{ since: 1_000_000, until: 1_060_000 },
      },
      { ip: '10.9.0.4', status: 'FREE', isGood: true },
    ])
    expect(network!.counts).toContainEqual({ status: 'ASSIGNED', count: 1n })
    expect(sets()).toEqual([
      {
        network: 'mynet',
        ranges: [expect.stringContaining('10.9.0.0/29')],
        size: 5n,
        assigned: 1,
        cooling: 1,
        free: 3n,
      },
    ])
    writing.close()
  })

  test('are looked at for changes of other processes while they are followed, and no longer', async () => {
    const writing = book()
    const { addresses } = await leaseViews({ database, clock })
    let changes = 0
    const end = addresses.follow(() => changes++)
    await passes(400)
    const before = changes
    await passes(400)
    expect(changes).toBe(before)
    await writing.take(leaseRequest('a'))
    await passes(400)
    expect(changes).toBe(before + 1)
    end()
    await passes(400)
    expect(clock.sleepers).toBe(0)
    writing.close()
  })
})

async function passes(ms: number): Promise<void> {
  await clock.advance(ms)
  await new Promise(resolve => setImmediate(resolve))
}
