import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { closeFolder, filesOf, isClosed, lockOf, openFolder } from '#ipam/leases/directory/closed-folder.ts'
import { networkFolders, readFolder } from '#ipam/leases/directory/directory.ts'

// A folder that host-local cannot use, and the files in it, which are never lost.

let dataDir: string
let folder: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'closed-'))
  folder = join(dataDir, 'mynet')
  mkdirSync(folder)
  writeFileSync(join(folder, '10.9.0.2'), 'a\r\neth0')
  writeFileSync(join(folder, 'lock'), '')
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const [KEPT, SIGN] = ['.mynet.kept-by-switchyard', '.mynet.kept-by-switchyard.txt'] as const
const inDataDir = (name: string) => join(dataDir, name)

describe('a closed folder', () => {
  test('is a file that says where the leases are, and its files are kept beside it', () => {
    closeFolder(folder)
    expect([isClosed(folder), readdirSync(dataDir).toSorted()]).toEqual([true, [KEPT, 'mynet']])
    expect(readFileSync(folder, 'utf8')).toContain('switchyard ipam ls')
    // Host-local makes the folder, and opens the lock in it.
    expect(() => mkdirSync(folder, { recursive: true })).toThrow('EEXIST')
    expect(() => writeFileSync(join(folder, 'lock'), '')).toThrow('ENOTDIR')
    expect([filesOf(folder), lockOf(folder)]).toEqual([inDataDir(KEPT), join(inDataDir(KEPT), 'lock')])
  })

  test('is as it was once it is opened, any number of times', () => {
    for (let time = 0; time < 2; time++) {
      closeFolder(folder)
      openFolder(folder)
      openFolder(folder)
      expect([isClosed(folder), filesOf(folder), readdirSync(dataDir)]).toEqual([false, folder, ['mynet']])
      expect(readFolder(folder).files).toMatchObject([{ address: '10.9.0.2', container: 'a' }])
    }
  })

  test('keeps the files of its latest closing alone', () => {
    closeFolder(folder)
    mkdirSync(inDataDir('new'))
    writeFileSync(inDataDir('new/10.9.0.7'), 'b')
    rmSync(folder)
    renameSync(inDataDir('new'), folder)
    closeFolder(folder)
    expect(readFolder(filesOf(folder)).files).toMatchObject([{ address: '10.9.0.7' }])
  })
})

test('a file that another program has put there closes nothing', () => {
  writeFileSync(inDataDir('other'), '')
  expect([isClosed(inDataDir('other')), isClosed(inDataDir('absent'))]).toEqual([false, false])
  openFolder(inDataDir('other'))
  expect(existsSync(inDataDir('other'))).toBe(true)
})

describe('wherever the process is killed', () => {
  const CLOSING: readonly (readonly [string, () => void])[] = [
    ['once the file is written', () => writeFileSync(inDataDir(SIGN), 'x')],
    ['once the folder is aside', () => renameSync(folder, inDataDir(KEPT))],
    ['once the file is in its place', () => renameSync(inDataDir(SIGN), folder)],
  ]

  test.each(CLOSING.map(([title], i) => [title, i] as const))(
    'closing it, %s, its files are found and come back',
    (_, i) => {
      for (const [, done] of CLOSING.slice(0, i + 1)) done()
      expect(networkFolders(dataDir)).toEqual([{ network: 'mynet', folder }])
      expect(readFolder(filesOf(folder)).files).toMatchObject([{ address: '10.9.0.2' }])
      openFolder(folder)
      expect([isClosed(folder), existsSync(inDataDir(KEPT))]).toEqual([false, false])
      expect(readFolder(folder).files).toMatchObject([{ address: '10.9.0.2' }])
      closeFolder(folder)
      expect([isClosed(folder), existsSync(inDataDir(SIGN))]).toEqual([true, false])
    },
  )

  test('opening it, its files are found and come back', () => {
    closeFolder(folder)
    renameSync(folder, inDataDir(SIGN))
    expect([isClosed(folder), networkFolders(dataDir).length]).toEqual([true, 1])
    openFolder(folder)
    expect([readdirSync(dataDir), readFolder(folder).files.length]).toEqual([['mynet'], 1])
  })

  test('what host-local makes in between is its own folder, and is no closed one', () => {
    writeFileSync(inDataDir(SIGN), 'x')
    renameSync(folder, inDataDir(KEPT))
    mkdirSync(folder)
    writeFileSync(join(folder, '10.9.0.3'), 'b')
    expect([isClosed(folder), readFolder(filesOf(folder)).files]).toMatchObject([false, [{ address: '10.9.0.3' }]])
  })
})
