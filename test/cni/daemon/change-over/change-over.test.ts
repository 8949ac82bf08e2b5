import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '#system/clock.ts'
import { whileLocked } from '#system/file-lock.ts'
import { holder, leaseRequest, SMALL } from '../../../support/leases.ts'
import { ChangedNode } from './changed-node.ts'

let node: ChangedNode
const take = (container: string) =>
  node.withBook(book => book.take(leaseRequest(container, { network: 'pods', sets: [SMALL] })))

beforeEach(() => {
  node = new ChangedNode()
})
afterEach(() => node.remove())

const takeOver = () => node.install('--replace-standard-plugins', `--import=${node.dataDir}`)
const giveBack = () => node.uninstall(`--export=${node.dataDir}`)

describe('cni install --import', () => {
  test('has the leases of the directory when the executables are ours, and says so', async () => {
    node.given('10.9.0.2', 'a')
    node.given('10.9.0.3', 'b')
    const { text, status } = await takeOver()
    expect([status, node.isReference(), node.held()]).toEqual([0, false, ['10.9.0.2 a', '10.9.0.3 b']])
    expect(text).toContain('pods: 2 addresses imported, 0 known already, 0 held by another container here')
    expect((await take('c')).map(({ address }) => address)).toEqual(['10.9.0.4'])
  })

  test('leaves nothing to a plugin that was started before its executable was replaced', async () => {
    node.given('10.9.0.2', 'a')
    await takeOver()
    expect(() => node.given('10.9.0.3', 'late')).toThrow(/EEXIST|ENOTDIR/)
    expect(() => writeFileSync(join(node.dataDir, 'pods/10.9.0.3'), 'late')).toThrow('ENOTDIR')
  })

  test('fails where ours has given an address of the directory before, and names both', async () => {
    await take('ours')
    node.given('10.9.0.2', 'theirs')
    const { text, status } = await takeOver()
    expect([status, node.isReference()]).toEqual([1, false])
    expect(text).toContain('10.9.0.2: the directory says container theirs, the database says ours of network pods')
  })

  test('waits until host-local has let go of its directory', async () => {
    node.given('10.9.0.2', 'a')
    let done: Promise<unknown> = Promise.resolve()
    await whileLocked(join(node.dataDir, 'pods/lock'), systemClock, async () => {
      let tries = 0
      node.pause = () => {
        tries++
        return systemClock.sleep(1)
      }
      done = takeOver()
      await expect.poll(() => tries).toBeGreaterThan(3)
      expect(node.isReference()).toBe(true)
    })
    node.pause = () => {}
    await done
    expect(node.isReference()).toBe(false)
  })

  test('a second time imports nothing: what the directory says is old by then', async () => {
    node.given('10.9.0.2', 'a')
    await takeOver()
    await node.withBook(book => book.release(holder('a', 'pods'), 'DEL'))
    expect(await takeOver()).toMatchObject({ status: 0, text: expect.stringContaining('nothing was imported from') })
    expect(node.held()).toEqual([])
  })

  test('on a node that has had no pods there is nothing to import', async () => {
    const { text, status } = await takeOver()
    expect([status, node.isReference()]).toEqual([0, false])
    expect(text).toContain(`There is no ${node.dataDir}, so no lease was imported.`)
  })

  test('leaves host-local in its place where a file cannot be read', async () => {
    node.given('10.9.0.2', 'a')
    writeFileSync(node.database, 'this is no database, and much longer than nothing at all'.repeat(100))
    await expect(takeOver()).rejects.toThrow()
    expect(node.isReference()).toBe(true)
  })

  test('needs --replace-standard-plugins', async () => {
    await expect(node.install(`--import=${node.dataDir}`)).rejects.toThrow(
      'cni install: --import: without --replace-standard-plugins, host-local goes on giving addresses',
    )
  })
})

describe('a folder that was taken over', () => {
  const folder = () => join(node.dataDir, 'pods')

  test('is closed to a host-local that comes back with a package, and taken over no second time', async () => {
    node.given('10.9.0.2', 'a')
    await takeOver()
    expect(readFileSync(folder(), 'utf8')).toContain('switchyard cni uninstall')
    await node.withBook(book => book.release(holder('a', 'pods'), 'DEL'))
    node.upgradePackage()
    const { text, status } = await takeOver()
    expect([status, node.isReference(), node.held()]).toEqual([0, false, []])
    expect(text).toContain('there was nothing new to import')
  })

  test('is not imported by hand: what it says is old', async () => {
    node.given('10.9.0.2', 'a')
    await takeOver()
    await expect(node.import()).rejects.toThrow(`${node.dataDir}/pods is old: its leases are in a database by now`)
  })

  test('is open again when the leases are in it, also where host-local came back before', async () => {
    node.given('10.9.0.2', 'a')
    for (const comesBack of [() => {}, () => node.upgradePackage()]) {
      await takeOver()
      comesBack()
      await giveBack()
      expect([node.directory(), node.isReference(), readdirSync(node.dataDir)]).toEqual([
        ['10.9.0.2 a'],
        true,
        ['pods'],
      ])
    }
  })

  test('must be given back: without that the plugins stay, and it is said why', async () => {
    node.given('10.9.0.2', 'a')
    await takeOver()
    await expect(node.uninstall()).rejects.toThrow(
      `cni uninstall: leases of ${node.dataDir} are here, and host-local needs them: --export=${node.dataDir} writes them there`,
    )
    expect(node.isReference()).toBe(false)
    await giveBack()
    expect(Object.keys(node.folders.content())).toEqual(['bin/bridge', 'bin/host-local'])
    expect(await node.uninstall()).toMatchObject({ status: 0 })
  })

  test('is as it was where not all could be closed', async () => {
    node.given('10.9.0.2', 'a')
    node.given('10.9.1.2', 'b', 'second')
    // What is in the way of the second one.
    mkdirSync(join(node.dataDir, '.second.kept-by-switchyard.txt'))
    await expect(takeOver()).rejects.toThrow()
    expect([statSync(folder()).isDirectory(), node.isReference()]).toEqual([true, true])
  })
})

describe('cni uninstall --export', () => {
  test('has the leases in the directory when host-local is back', async () => {
    node.given('10.9.0.2', 'a')
    node.given('10.9.0.3', 'b')
    await takeOver()
    await take('c')
    await node.withBook(book => book.release(holder('a', 'pods'), 'DEL'))
    const { text, status } = await giveBack()
    expect([status, node.isReference()]).toEqual([0, true])
    expect(node.directory()).toEqual(['10.9.0.3 b', '10.9.0.4 c'])
    expect(text).toContain('pods: 2 files written, 1 of addresses that are free removed')
  })

  test('has those, too, that a call gave which was under way', async () => {
    await takeOver()
    await take('c')
    let isLate = true
    node.pause = async () => {
      if (isLate) await take('late')
      isLate = false
    }
    await giveBack()
    expect(node.directory()).toEqual(['10.9.0.2 c', '10.9.0.3 late'])
  })

  test('has those of all calls that were under way, as long as one after the other has its turn', async () => {
    await takeOver()
    await take('c')
    const waiting = ['d', 'e', 'f']
    node.pause = async () => {
      const next = waiting.shift()
      if (next !== undefined) await take(next)
    }
    await giveBack()
    expect(node.directory()).toEqual(['10.9.0.2 c', '10.9.0.3 d', '10.9.0.4 e', '10.9.0.5 f'])
  })

  test('waits no longer for calls that never end', async () => {
    await takeOver()
    await take('c')
    node.pause = async () => {
      await node.withBook(book => book.release(holder('c', 'pods'), 'DEL'))
      await take('c')
    }
    await giveBack()
    expect(node.directory()).toHaveLength(1)
  })

  test('a second time writes nothing: host-local has given addresses since', async () => {
    await takeOver()
    await take('c')
    await giveBack()
    node.given('10.9.0.3', 'new')
    expect(await giveBack()).toMatchObject({ text: expect.stringContaining('There was nothing to export to') })
    expect(node.directory()).toEqual(['10.9.0.2 c', '10.9.0.3 new'])
  })

  test('and over again: what host-local has freed meanwhile is free, what it gave is held', async () => {
    node.given('10.9.0.2', 'a')
    await takeOver()
    await take('c')
    await giveBack()
    node.free('10.9.0.2')
    node.given('10.9.0.4', 'd')
    const { text } = await takeOver()
    expect(text).toContain('1 ended since the export')
    expect(node.held()).toEqual(['10.9.0.3 c', '10.9.0.4 d'])
  })

  test('that ended half way, with host-local in its place, is known: over again, what it gave is held by its own', async () => {
    node.given('10.9.0.2', 'a')
    await takeOver()
    node.pause = () => {
      throw new Error('killed')
    }
    await expect(giveBack()).rejects.toThrow('killed')
    node.pause = () => {}
    expect(node.isReference()).toBe(true)
    node.free('10.9.0.2')
    node.given('10.9.0.2', 'b')
    const { status } = await takeOver()
    expect([status, node.held()]).toEqual([0, ['10.9.0.2 b']])
  })
})
