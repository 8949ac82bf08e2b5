import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CniAsked, CniCommandAnswer, CniCommandParts } from '#cni/commands/command.ts'
import { installing, uninstalling } from '#cni/daemon/installing.ts'
import { nodeMachine, PLUGINS } from '#cni/daemon/machine.ts'
import { type FolderLock, importFolders } from '#ipam/leases/directory/transfer.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { systemClock } from '#system/clock.ts'
import { plainFiles } from '#system/plain-files.ts'
import type { Clock } from '#system/ports.ts'
import { accepted } from '../../../config/parsing.ts'
import { Folders } from '../../install/folders.ts'

// A node whose plugins are another's, with host-local's directory, on which `cni install` and `cni uninstall` are carried out.

type Work = (
  asked: Pick<CniAsked, 'settings' | 'operands'>,
  parts: Pick<CniCommandParts, 'own' | 'files'>,
) => Promise<CniCommandAnswer>

export class ChangedNode {
  readonly folders = new Folders()
  readonly dataDir = join(this.folders.root, 'networks')
  readonly database = join(this.folders.root, 'ipam.db')
  /** Called in the middle of each pause. */
  pause: () => void | Promise<void> = () => {}
  readonly #clock: Clock = { ...systemClock, now: () => Date.now(), sleep: async () => await this.pause() }

  constructor() {
    this.folders.write('bin/host-local', 'the reference')
    this.folders.write('bin/bridge', 'the reference')
  }

  /** As host-local has given it. */
  given(address: string, container: string, network = 'pods'): void {
    mkdirSync(join(this.dataDir, network), { recursive: true })
    writeFileSync(join(this.dataDir, network, address), `${container}\r\neth0`)
    writeFileSync(join(this.dataDir, network, 'last_reserved_ip.0'), address)
  }

  /** As a DEL by host-local. */
  free(address: string, network = 'pods'): void {
    rmSync(join(this.dataDir, network, address))
  }

  /** Which brings the executable that was there before. */
  upgradePackage(): void {
    this.folders.write('bin/host-local', 'the reference')
  }

  /** `switchyard ipam import`. */
  import(): Promise<unknown> {
    const lock: FolderLock = (_, work) => work()
    return this.withBook(book => importFolders(this.dataDir, { book, lock, cooldownMs: 0 }))
  }

  directory(network = 'pods'): readonly string[] {
    const names = readdirSync(join(this.dataDir, network)).filter(name => /^\d/.test(name))
    return names
      .sort()
      .map(name => `${name} ${readFileSync(join(this.dataDir, network, name), 'utf8').split('\r\n')[0]}`)
  }

  /** What is held here: addresses with their containers. */
  held(): readonly string[] {
    const networks = readLeases(this.database, Date.now()) ?? []
    const held = networks.flatMap(({ leases }) => leases.filter(({ state }) => state === 'assigned'))
    return held.map(({ address, container }) => `${address} ${container}`).sort()
  }

  async withBook<T>(work: (book: SqliteLeaseBook) => Promise<T>): Promise<T> {
    const book = SqliteLeaseBook.open({ path: this.database, clock: this.#clock, boot: 'b' })
    try {
      return await work(book)
    } finally {
      book.close()
    }
  }

  isReference(): boolean {
    return readFileSync(join(this.folders.bin, 'host-local'), 'utf8') === 'the reference'
  }

  install(...flags: readonly string[]): Promise<CniCommandAnswer> {
    return this.#run(flags, (asked, parts) => installing(asked, parts, this.folders.sources))
  }

  uninstall(...flags: readonly string[]): Promise<CniCommandAnswer> {
    return this.#run(flags, (asked, parts) => uninstalling(asked, parts, async () => []))
  }

  async #run(flags: readonly string[], work: Work): Promise<CniCommandAnswer> {
    const argv = [`--bin-dir=${this.folders.bin}`, `--database=${this.database}`, ...flags]
    const { settings } = await accepted({ verb: 'cni', argv: ['install', ...argv] })
    const kernel = { run: () => Promise.reject(new Error('no programs here')) }
    const machine = nodeMachine({ kernel, clock: this.#clock, database: this.database })
    try {
      const own = { plugins: PLUGINS, machine, version: 'v1' }
      return await work({ settings: settings.cni, operands: [] }, { own, files: plainFiles })
    } finally {
      machine.close()
    }
  }

  remove(): void {
    this.folders.remove()
  }
}
