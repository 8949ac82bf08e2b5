import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { closeFolder, isClosed } from '#ipam/leases/directory/closed-folder.ts'
import { readFolder } from '#ipam/leases/directory/directory.ts'
import { exportFolders, type FolderLock, importFolder, importFolders } from '#ipam/leases/directory/transfer.ts'
import { LeaseRefused } from '#ipam/leases/lease-book.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { nextFree } from '#ipam/ranges/next-free.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { type Address, addressFromNumber, addressNumber } from '#values/address.ts'
import { address, holder, leaseRequest, SMALL } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

// A node that changes over to the database and back: a pod has its address all the while, and no other gets it.

const lock: FolderLock = (_, work) => work()

class ChangingNode {
  readonly #folder = memoryFolder('transfer-')
  readonly dataDir = join(this.#folder, 'networks')
  readonly path = join(this.#folder, 'ipam.db')
  readonly clock = new PaperClock(1000)
  readonly book = SqliteLeaseBook.open({ path: this.path, clock: this.clock, boot: 'b' })
  /** Who has which address, as the pods themselves would say. */
  readonly pods = new Map<string, Address>()
  given: 'here' | 'by host-local' = 'here'

  async add(container: string): Promise<void> {
    await this.clock.advance(10)
    if (this.pods.has(container)) return
    const given = this.given === 'here' ? await this.#take(container) : this.#hostLocal(container)
    if (given === undefined) return
    expect([...this.pods.values()]).not.toContain(given)
    this.pods.set(container, given)
  }

  async del(container: string): Promise<void> {
    await this.clock.advance(10)
    if (this.given === 'here') await this.book.release(holder(container), 'DEL')
    else if (this.pods.has(container)) rmSync(join(this.dataDir, 'mynet', this.pods.get(container)!))
    this.pods.delete(container)
  }

  async change(): Promise<void> {
    await this.clock.advance(10)
    if (this.given === 'here') {
      const networks = readLeases(this.path, this.clock.now())!
      await exportFolders(this.dataDir, networks, lock)
      await this.book.handOver(['mynet'], this.clock.now())
      this.given = 'by host-local'
    } else {
      const folder = { network: 'mynet', folder: join(this.dataDir, 'mynet') }
      const parts = { book: this.book, lock, cooldownMs: 0 }
      const { conflicts, problems } = await importFolder(folder, parts)
      expect([conflicts, problems]).toEqual([[], []])
      closeFolder(folder.folder)
      this.given = 'here'
    }
    await this.clock.advance(10)
  }

  /** In the place that counts there is each pod with its address, and nothing else. */
  compare(): void {
    const leases = (readLeases(this.path, this.clock.now()) ?? []).flatMap(network => network.leases)
    const held = this.given === 'here' ? leases : readFolder(join(this.dataDir, 'mynet')).files
    const isHeld = (one: object) => !('state' in one) || one.state === 'assigned'
    expect(new Map(held.filter(isHeld).map(({ container, address }) => [container, address]))).toEqual(this.pods)
  }

  end(): void {
    this.book.verify()
    this.book.close()
    rmSync(this.#folder, { recursive: true })
  }

  async #take(container: string): Promise<Address | undefined> {
    try {
      const [lease] = await this.book.take(leaseRequest(container, { cooldownMs: 15 }))
      return lease!.address
    } catch (error) {
      if (error instanceof LeaseRefused) return undefined
      throw error
    }
  }

  /** As the reference plugin: the next behind the one given last, of which there is no file. */
  #hostLocal(container: string): Address | undefined {
    const folder = join(this.dataDir, 'mynet')
    mkdirSync(folder, { recursive: true })
    const taken = new Set(readdirSync(folder))
    const runEnd = (value: bigint): bigint | undefined => {
      let end = value
      while (taken.has(addressFromNumber('ipv4', end))) end++
      return end === value ? undefined : end - 1n
    }
    const span = {
      family: 'ipv4',
      first: addressNumber(address('10.9.0.2')),
      last: addressNumber(SMALL[0].end),
    } as const
    const given = nextFree([span], readFolder(folder).given.get(0), { runEnd })
    if (given === undefined) return undefined
    writeFileSync(join(folder, given), `${container}\r\neth0`)
    writeFileSync(join(folder, 'last_reserved_ip.0'), given)
    return given
  }
}

test('pods keep their addresses through any number of changes over and back', async () => {
  const container = fc.constantFrom('a', 'b', 'c', 'd')
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), container }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('del' as const), container }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('change' as const), container }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async steps => {
      const node = new ChangingNode()
      // Without a first address, no network is known.
      await node.add('first')
      for (const { kind, container } of steps) {
        await node[kind](container)
        node.compare()
      }
      node.end()
    }),
    { numRuns: 25 },
  )
})

describe('folders', () => {
  let node: ChangingNode
  beforeEach(() => {
    node = new ChangingNode()
  })
  afterEach(() => node.end())

  test('are imported and exported each while its own lock is held', async () => {
    const locked: string[] = []
    const counting: FolderLock = (path, work) => {
      locked.push(path.slice(node.dataDir.length + 1))
      return work()
    }
    for (const network of ['blue', 'red']) {
      mkdirSync(join(node.dataDir, network), { recursive: true })
      writeFileSync(join(node.dataDir, network, network === 'red' ? '10.9.0.2' : '10.9.0.3'), 'a')
    }
    writeFileSync(join(node.dataDir, 'red', 'readme'), '')
    const imported = await importFolders(node.dataDir, { book: node.book, lock: counting, cooldownMs: 0 })
    expect(imported.map(({ network, leases, problems }) => [network, leases.length, problems.length])).toEqual([
      ['blue', 1, 0],
      ['red', 1, 1],
    ])
    closeFolder(join(node.dataDir, 'red'))
    await exportFolders(node.dataDir, readLeases(node.path, 0)!, counting)
    expect(locked).toEqual(['blue/lock', 'red/lock', 'blue/lock', '.red.kept-by-switchyard/lock'])
    expect(isClosed(join(node.dataDir, 'red'))).toBe(false)
  })

  test('that are closed are not imported: what is in them is old', async () => {
    mkdirSync(join(node.dataDir, 'red'), { recursive: true })
    closeFolder(join(node.dataDir, 'red'))
    const imported = importFolders(node.dataDir, { book: node.book, lock, cooldownMs: 0 })
    await expect(imported).rejects.toThrow(/red is old: its leases are in a database by now$/)
  })
})
