import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { closeFolder, isClosed } from '#ipam/leases/directory/closed-folder.ts'
import { makeFolders, networkFolders, readFolder, writeFolder } from '#ipam/leases/directory/directory.ts'
import { type NetworkLeases, readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { address, holder, leaseRequest, SMALL, SMALL6 } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

// Host-local's directory and the database: over, and back.

let folder: string
let dataDir: string
let path: string
let book: SqliteLeaseBook

beforeEach(() => {
  folder = memoryFolder('leases-')
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

  test('goes there and back where only the second set has given an address', async () => {
    const texts = { 'fd00:9::2': 'a\r\neth0', 'last_reserved_ip.1': 'fd00:9::2' }
    hostLocal(texts)
    await adopted()
    const [network] = readLeases(path, 1000)!
    rmSync(join(dataDir, 'mynet'), { recursive: true })
    writeFolder(join(dataDir, 'mynet'), network!)
    expect(filesOf('mynet')).toEqual(texts)
    const [four, six] = await book.take(leaseRequest('b', { sets: [SMALL, SMALL6] }))
    expect([four!.address, six!.address]).toEqual(['10.9.0.2', 'fd00:9::3'])
  })
})

describe('a folder', () => {
  const network = (files: Readonly<Record<string, string>>): NetworkLeases => {
    const leases = Object.entries(files).map(([ip, container]) => ({
      ...holder(container),
      ...{ address: address(ip), family: 'ipv4', set: 0, boot: 'b', state: 'assigned', at: 0 },
    }))
    return { network: 'mynet', overlap: 'refuse', sets: [], given: [], leases } as NetworkLeases
  }

  test('holds what the database holds after any number of exports, whatever was in it', () => {
    const files = fc.dictionary(
      fc.integer({ min: 2, max: 9 }).map(n => `10.9.0.${n}`),
      fc.constantFrom('a', 'b', 'c'),
    )
    fc.assert(
      fc.property(fc.array(files, { minLength: 1, maxLength: 4 }), exports => {
        rmSync(dataDir, { recursive: true, force: true })
        hostLocal({ lock: '', readme: 'of an operator', '10.9.0.9': '' })
        for (const leases of exports) {
          const before = readFolder(join(dataDir, 'mynet')).files
          const { written, removed } = writeFolder(join(dataDir, 'mynet'), network(leases))
          const held = readFolder(join(dataDir, 'mynet')).files
          expect(Object.fromEntries(held.map(file => [file.address, file.container]))).toEqual({ ...leases })
          const kept = before.filter(file => leases[file.address] === file.container).length
          expect(written).toBe(held.length - kept)
          expect(removed).toBeGreaterThanOrEqual(before.filter(file => !(file.address in leases)).length)
        }
        expect(filesOf('mynet')).toMatchObject({ lock: '', readme: 'of an operator' })
      }),
      { numRuns: 30 },
    )
  })

  test('is whole for a reader where an export was killed half way, and the next one ends it', () => {
    hostLocal({ '.10.9.0.2.new': 'a\r\net', '10.9.0.3': 'b\r\neth0' })
    expect(readFolder(join(dataDir, 'mynet')).files).toMatchObject([{ address: '10.9.0.3', container: 'b' }])
    writeFolder(join(dataDir, 'mynet'), network({ '10.9.0.2': 'a', '10.9.0.3': 'b' }))
    expect(filesOf('mynet')).toEqual({ '10.9.0.2': 'a\r\neth0', '10.9.0.3': 'b\r\neth0' })
  })

  test('has one file of an address, in whichever way another program has written its name', () => {
    hostLocal({ 'FD00:9:0::2': 'a\r\neth0' })
    writeFolder(join(dataDir, 'mynet'), {
      ...network({}),
      leases: network({ 'fd00:9::2': 'a' }).leases,
    })
    expect(filesOf('mynet')).toEqual({ 'fd00:9::2': 'a\r\neth0' })
  })

  test('of each network is found, closed ones too, and no hidden one; that of one network is not taken for all', () => {
    for (const name of ['zoo', 'mynet', 'closed', '.hidden']) mkdirSync(join(dataDir, name), { recursive: true })
    closeFolder(join(dataDir, 'closed'))
    writeFileSync(join(dataDir, 'readme'), '')
    expect(networkFolders(dataDir).map(({ network }) => network)).toEqual(['closed', 'mynet', 'zoo'])
    expect(makeFolders(dataDir, ['closed', 'new'])).toEqual([join(dataDir, 'closed'), join(dataDir, 'new')])
    expect([isClosed(join(dataDir, 'closed')), readdirSync(join(dataDir, 'new'))]).toEqual([true, []])
    hostLocal({ '10.9.0.2': 'a' })
    expect(() => networkFolders(join(dataDir, 'mynet'))).toThrow(/is the directory of one network; the one above it/)
  })
})
