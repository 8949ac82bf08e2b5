import { type Address, addressNumber } from '#values/address.ts'
import { endExpired, expired } from '../changes/sweep.ts'
import { Database } from '../database/database.ts'
import { conflictsIn } from '../leaks/conflict-rows.ts'
import type { GrantedRanges, Lease } from '../lease-book.ts'
import { leaseRows, plainLease } from '../records/lease-rows.ts'
import { grantedNetworks } from '../records/range-rows.ts'
import { keyOfNumber, numberOfKey } from '../records/sort-key.ts'
import { dropGrant, type Grant, grantIn, keepGrant, keepSeen, type SeenText, seenIn } from './granted-row.ts'

// The database of leases → what this node was given to give addresses from, kept where the leases are: one transaction has
// both, so no address is given from a range that is being given away.

/** Pods wait meanwhile. */
const AT_ONCE = 500

export class GrantBook {
  readonly #database: Database

  private constructor(database: Database) {
    this.#database = database
  }

  /** Makes the database where there is none. Fails with LeaseStoreFailed, as everything here. */
  static open(path: string): GrantBook {
    return new GrantBook(Database.open(path))
  }

  /** Closes the connection when it is closed itself. */
  static on(database: Database): GrantBook {
    return new GrantBook(database)
  }

  load(): (Grant & GrantedRanges) | undefined {
    return this.#database.read(() => grantIn(this.#database))
  }

  /** Durable when it returns. */
  save(grant: Grant): void {
    this.#database.write(() => keepGrant(this.#database, grant))
  }

  /** Networks that name no ranges have none then. */
  drop(): void {
    this.#database.write(() => dropGrant(this.#database))
  }

  seen(): SeenText | undefined {
    return this.#database.read(() => seenIn(this.#database))
  }

  saveSeen(seen: SeenText): void {
    this.#database.write(() => keepSeen(this.#database, seen))
  }

  /** Of IPv4 addresses from `start` up to, and without, `end`: those that are leased, cool down, or are used without a lease. */
  takenIn({ start, end }: Stretch): readonly Stretch[] {
    return this.#database.read(() => {
      const ends = [keyOfNumber('ipv4', BigInt(end - 1)), keyOfNumber('ipv4', BigInt(start))] as const
      const runs = this.#database.all('SELECT first, last FROM run WHERE first <= ? AND last >= ?', ...ends)
      const used = conflictsIn(this.#database).flatMap(({ address }) => stretchOf(address, { start, end }))
      const leased = runs.map(({ first, last }) => ({
        start: Number(numberOfKey(String(first))),
        end: Number(numberOfKey(String(last))) + 1,
      }))
      return [...leased, ...used].sort((a, b) => a.start - b.start)
    })
  }

  /** What has cooled down is free: elsewhere only the next pod ends it, and a node whose pods have all gone may get none. */
  endCooldowns(now: number): void {
    const moment = { database: this.#database, now }
    const isDue = () => this.#database.read(() => expired(moment, 1)).length > 0
    while (isDue()) this.#database.write(() => endExpired(moment, AT_ONCE))
  }

  /** Held by pods of networks that give the node's ranges. */
  leases(): readonly Lease[] {
    return this.#database.read(() =>
      grantedNetworks(this.#database).flatMap(({ network }) =>
        leaseRows(this.#database, "WHERE network = ? AND state = 'assigned' ORDER BY key", network).map(plainLease),
      ),
    )
  }

  close(): void {
    this.#database.close()
  }
}

interface Stretch {
  readonly start: number
  readonly end: number
}

function stretchOf(address: Address, { start, end }: Stretch): readonly Stretch[] {
  if (address.includes(':')) return []
  const number = Number(addressNumber(address))
  return start <= number && number < end ? [{ start: number, end: number + 1 }] : []
}
