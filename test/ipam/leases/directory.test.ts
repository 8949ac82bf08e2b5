import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contentOf } from '#ipam/leases/directory/address-file.ts'
import { networkFolders, readFolder, writeFolder } from '#ipam/leases/directory/directory.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { holder, leaseRequest, SMALL, SMALL6 } from '../../support/leases.ts'

// Host-local's directory and the database: over, and back.

let folder: string
let dataDir: string
let path: string
let book: SqliteLeaseBook

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leases-'))
  dataDir = join(folder, 'networks')
  path = join(folder, 'ipam.db')
  book = SqliteLeaseBook.open({ path, clock: new PaperClock(1000), boot: 'b' })
})
afterEach(() => {
  book.verify()
  book.close()
  rmSync(folder, { recursive: true })
})

/** As the reference plugin writes it, files of its older versions included. */
function hostLocal(texts: Readonly<Record<string, string>>): void {
  mkdirSync(join(dataDir, 'mynet'), { recursive: true })
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(dataDir, 'mynet', name), text)
}

const TYPICAL = {
  '10.9.0.3': 'a\r\neth0',
  '10.9.0.4': 'b\r\neth0',
  'fd00:9::2': 'a\r\neth0',
  'last_reserved_ip.0': '10.9.0.4',
  'last_reserved_ip.1': 'fd00:9::2',
  lock: '',
} as const

async function adopted() {
  const [{ network, folder: one }] = networkFolders(dataDir) as [{ network: string; folder: string }]
  return book.adopt({ network, content: readFolder(one), cooldownMs: 1000 })
}

function filesOf(network: string): Readonly<Record<string, string>> {
  const names = readdirSync(join(dataDir, network))
  return Object.fromEntries(names.map(name => [name, readFileSync(join(dataDir, network, name), 'utf8')]))
}

describe("host-local's directory", () => {
  test('is read as it is: line ends of every kind, old files, and what means nothing by name', () => {
    const texts = { ...TYPICAL, '10.9.0.5': 'old', '10.9.0.6': '', fd00__7: 'c\neth1\n', readme: 'x' }
    const content = contentOf(new Map(Object.entries({ ...texts, 'last_reserved_ip.2': 'garbage' })))
    expect(content.files.map(({ address, container, ifname }) => `${address} ${container} ${ifname}`)).toEqual([
      ...['10.9.0.3 a eth0', '10.9.0.4 b eth0', '10.9.0.5 old ', 'fd00:9::2 a eth0', 'fd00::7 c eth1'],
    ])
    expect([...content.given]).toEqual([
      [0, '10.9.0.4'],
      [1, 'fd00:9::2'],
    ])
    expect(content.problems).toEqual([
      '10.9.0.6: no container is in it, so no DEL would ever free it',
      'readme: the name is no address',
    ])
  })

  test('goes into the database: running pods keep their addresses, and the next ones follow', async () => {
    hostLocal(TYPICAL)
    expect(await adopted()).toMatchObject({ leases: { length: 3 }, known: 0, conflicts: [] })
    expect((await book.held(holder('a'))).map(({ set, address }) => [set, address])).toEqual([
      [0, '10.9.0.3'],
      [1, 'fd00:9::2'],
    ])
    const next = await book.take(leaseRequest('c', { sets: [SMALL, SMALL6] }))
    expect(next.map(({ address }) => address)).toEqual(['10.9.0.5', 'fd00:9::3'])
    expect(await book.release(holder('a'), 'DEL')).toHaveLength(2)
  })

  test('may be read twice, and an address that another container holds meanwhile is not taken from it', async () => {
    hostLocal({ '10.9.0.2': 'a\r\neth0', '10.9.0.3': 'b\r\neth0' })
    await adopted()
    expect(await adopted()).toMatchObject({ leases: [], known: 2, conflicts: [] })
    hostLocal({ '10.9.0.3': 'other\r\neth0' })
    const { conflicts } = await adopted()
    expect(conflicts).toMatchObject([{ file: { container: 'other' }, lease: { container: 'b', address: '10.9.0.3' } }])
    expect(await book.held(holder('other'))).toEqual([])
  })

  test('whose files name no interface: a DEL of any interface frees the address', async () => {
    hostLocal({ '10.9.0.2': 'a' })
    await adopted()
    expect(await book.keepOnly('mynet', [{ container: 'a', ifname: 'eth7' }], 'GC')).toEqual([])
    expect(await book.release(holder('a'), 'DEL')).toHaveLength(1)
  })

  test('is written back, and is then what the database holds', async () => {
    hostLocal(TYPICAL)
    await adopted()
    await book.release(holder('b'), 'DEL')
    await book.take(leaseRequest('d', { sets: [SMALL, SMALL6] }))
    const [network] = readLeases(path, 1000)!
    expect(writeFolder(join(dataDir, network!.network), network!)).toEqual({ written: 4, removed: 1 })
    expect(filesOf('mynet')).toEqual({
      '10.9.0.3': 'a\r\neth0',
      '10.9.0.5': 'd\r\neth0',
      'fd00:9::2': 'a\r\neth0',
      'fd00:9::3': 'd\r\neth0',
      'last_reserved_ip.0': '10.9.0.5',
      'last_reserved_ip.1': 'fd00:9::3',
      lock: '',
    })
    expect((statSync(join(dataDir, 'mynet', '10.9.0.5')).mode & 0o777).toString(8)).toBe('600')
    expect(writeFolder(join(dataDir, network!.network), network!)).toEqual({ written: 0, removed: 0 })
  })

  test('goes there and back unchanged', async () => {
    hostLocal(TYPICAL)
    await adopted()
    for (const network of readLeases(path, 1000)!) writeFolder(join(dataDir, network.network), network)
    expect(filesOf('mynet')).toEqual(TYPICAL)
  })
})
