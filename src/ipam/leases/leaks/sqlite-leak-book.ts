import type { Clock } from '#system/ports.ts'
import type { Address } from '#values/address.ts'
import { Database } from '../database/database.ts'
import { type Holder, holderKey, type Lease } from '../lease-book.ts'
import { historyOfBoot, type PastLease } from '../records/history-rows.ts'
import { endLease, heldBy, type LeaseRow, leasesOfAddress, plainLease } from '../records/lease-rows.ts'
import { type RegisteredSet, registeredSets } from '../records/range-rows.ts'
import { conflictsIn, keepConflicts, plainConflict } from './conflict-rows.ts'
import type { AddressConflict, LeakBook, LeasePage, Suspicion } from './leak-book.ts'
import { leasePage } from './lease-page.ts'
import { forgetSuspicion, suspicionChanges, suspicionsIn } from './suspicion-rows.ts'

// The database of leases as a LeakBook.

export class SqliteLeakBook implements LeakBook {
  readonly #database: Database
  readonly #clock: Clock

  private constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /** Makes the database where there is none. Fails with LeaseStoreFailed, as everything here. */
  static open(path: string, clock: Clock): SqliteLeakBook {
    return new SqliteLeakBook(Database.open(path), clock)
  }

  /** Closes the connection when it is closed itself. */
  static on(database: Database, clock: Clock): SqliteLeakBook {
    return new SqliteLeakBook(database, clock)
  }

  async page(after: Holder | undefined, most: number): Promise<LeasePage> {
    if (after !== undefined) await nextTurn()
    return this.#database.read(() => leasePage(this.#database, after, most))
  }

  async holding(addresses: readonly Address[]): Promise<readonly Lease[]> {
    return this.#database
      .read(() => addresses.flatMap(address => leasesOfAddress(this.#database, address)))
      .filter(({ state }) => state === 'assigned')
      .map(plainLease)
  }

  async ended(boot: string, most: number): Promise<readonly PastLease[]> {
    return this.#database.read(() => historyOfBoot(this.#database, boot, most))
  }

  async sets(): Promise<readonly RegisteredSet[]> {
    return this.#database.read(() => registeredSets(this.#database))
  }

  async suspicions(): Promise<readonly Suspicion[]> {
    return this.#database.read(() => suspicionsIn(this.#database))
  }

  async conflicts(): Promise<readonly AddressConflict[]> {
    return this.#database.read(() => conflictsIn(this.#database))
  }

  async keepSuspicions(known: readonly Suspicion[], next: readonly Suspicion[]): Promise<void> {
    this.#write(suspicionChanges(this.#database, known, next))
  }

  async keepConflicts(conflicts: readonly AddressConflict[]): Promise<void> {
    this.#write(this.#conflictChanges(conflicts))
  }

  async keep(suspicions: readonly Suspicion[], conflicts: readonly AddressConflict[]): Promise<void> {
    const known = this.#database.read(() => suspicionsIn(this.#database))
    this.#write([...suspicionChanges(this.#database, known, suspicions), ...this.#conflictChanges(conflicts)])
  }

  async areHeld(leases: readonly Lease[]): Promise<boolean> {
    return this.#database.read(() => this.#held(leases) !== undefined)
  }

  async releaseHeld(leases: readonly Lease[], why: string): Promise<readonly Lease[]> {
    const end = () => {
      const held = this.#held(leases) ?? []
      for (const lease of held) endLease(this.#database, lease, { at: this.#clock.now(), why })
      if (held[0] !== undefined) forgetSuspicion(this.#database, held[0])
      return held
    }
    return this.#database.freeing(() => this.#database.write(end)).map(plainLease)
  }

  close(): void {
    this.#database.close()
  }

  #conflictChanges(conflicts: readonly AddressConflict[]): readonly (() => void)[] {
    const known = this.#database.read(() => conflictsIn(this.#database))
    const isSame = areSame(known, conflicts.map(plainConflict))
    return isSame ? [] : [() => keepConflicts(this.#database, conflicts)]
  }

  /** One transaction, or none. */
  #write(changes: readonly (() => void)[]): void {
    if (changes.length > 0) this.#database.write(() => changes.forEach(change => void change()))
  }

  /** Undefined where the holder has others by now, or none. */
  #held(leases: readonly Lease[]): readonly LeaseRow[] | undefined {
    const [first] = leases
    if (first === undefined) return undefined
    const held = heldBy(this.#database, first)
    return areSame(held.map(identity).sort(), leases.map(identity).sort()) ? held : undefined
  }
}

/** An address that was given again to the same container was given at another time. */
function identity(lease: Lease): string {
  const { address, at, boot, netns = '', namespaceId = '' } = lease
  return JSON.stringify([holderKey(lease), address, Math.round(at), boot, netns, namespaceId])
}

function areSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return JSON.stringify(a.map(sortedFields).sort()) === JSON.stringify(b.map(sortedFields).sort())
}

function sortedFields(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : String(value)
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve))
}
