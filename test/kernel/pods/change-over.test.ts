import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { exportFolders, importFolders } from '#ipam/leases/directory/transfer.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { anyCommand } from '#lab/any-command.ts'
import { systemClock } from '#system/clock.ts'
import { whileLocked } from '#system/file-lock.ts'
import { must } from '#system/must.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { holder, leaseRequest, SMALL, SMALL6 } from '../../support/leases.ts'

// A node that changes over from the reference plugin to the database, and back: no address is given twice, in either direction.

const REFERENCE = '/usr/lib/cni/host-local'
const why = existsSync(REFERENCE) ? undefined : `${REFERENCE} is not installed`

describe.skipIf(why !== undefined)(`from host-local and back${why ? ` (skipped: ${why})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-change-'))
  const [dataDir, path] = [join(folder, 'networks'), join(folder, 'ipam.db')]
  const lock = <T>(file: string, work: () => Promise<T>) => whileLocked(file, systemClock, work)
  const open = () => SqliteLeaseBook.open({ path, clock: systemClock, boot: 'b' })
  afterAll(() => rmSync(folder, { recursive: true }))

  async function reference(command: 'ADD' | 'DEL', container: string): Promise<readonly string[]> {
    const ranges = [[{ subnet: '10.9.0.0/29' }], [{ subnet: 'fd00:9::/125' }]]
    const config = { cniVersion: '1.0.0', name: 'mynet', ipam: { type: 'host-local', dataDir, ranges } }
    const env = {
      ...{ CNI_COMMAND: command, CNI_CONTAINERID: container, CNI_IFNAME: 'eth0', CNI_PATH: '/usr/lib/cni' },
      ...{ CNI_NETNS: `/run/netns/${container}`, CNI_ARGS: '' },
    }
    const { stdout } = await must(hostKernel(), anyCommand([REFERENCE], { input: JSON.stringify(config), env }))
    if (command === 'DEL') return []
    const { ips } = JSON.parse(stdout) as { readonly ips: readonly { readonly address: string }[] }
    return ips.map(({ address }) => address.split('/')[0]!)
  }

  const files = () =>
    readdirSync(join(dataDir, 'mynet'))
      .filter(name => /^[\d.]+$|:/.test(name))
      .sort()

  test('the database goes on where the directory stood, and gives nothing that is in it', async () => {
    expect(await reference('ADD', 'a')).toEqual(['10.9.0.2', 'fd00:9::2'])
    expect(await reference('ADD', 'b')).toEqual(['10.9.0.3', 'fd00:9::3'])
    const book = open()
    const [imported] = await importFolders(dataDir, { book, lock, cooldownMs: 0 })
    expect(imported).toMatchObject({ network: 'mynet', leases: { length: 4 }, known: 0, conflicts: [], problems: [] })
    const next = await book.take(leaseRequest('c', { sets: [SMALL, SMALL6] }))
    expect(next.map(({ address }) => address)).toEqual(['10.9.0.4', 'fd00:9::4'])
    expect(await book.release(holder('a'), 'DEL')).toHaveLength(2)
    book.verify()
    book.close()
  })

  test('the reference plugin goes on where the database stood, and its DEL frees what that gave', async () => {
    const exported = await exportFolders(dataDir, readLeases(path, systemClock.now())!, lock)
    expect(exported).toEqual([{ network: 'mynet', written: 4, removed: 2 }])
    expect(files()).toEqual(['10.9.0.3', '10.9.0.4', 'fd00:9::3', 'fd00:9::4'])
    expect(await reference('ADD', 'd')).toEqual(['10.9.0.5', 'fd00:9::5'])
    await reference('DEL', 'c')
    await reference('DEL', 'b')
    expect(files()).toEqual(['10.9.0.5', 'fd00:9::5'])
  })

  test('a directory that the reference plugin has locked is not read meanwhile', async () => {
    const file = join(dataDir, 'mynet', 'lock')
    const order: string[] = []
    await Promise.all([
      whileLocked(file, systemClock, async () => {
        await systemClock.sleep(100)
        order.push('first')
      }),
      whileLocked(file, systemClock, async () => order.push('second')),
    ])
    expect(order).toEqual(['first', 'second'])
  })
})
