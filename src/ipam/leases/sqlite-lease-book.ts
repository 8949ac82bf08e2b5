import type { Clock } from '#system/ports.ts'
import { type Adopted, type Adoption, adopt } from './changes/adopt.ts'
import type { ChangeContext, NamespaceWitness } from './changes/context.ts'
import { otherHolders, release } from './changes/release.ts'
import { endSomeLeftOvers } from './changes/sweep.ts'
import { take } from './changes/take.ts'
import { type RegisteredUsage, registeredUsages, usageOf } from './changes/usage.ts'
import { Database } from './database/database.ts'
import { damaged } from './database/fault.ts'
import { type ChangeKind, GroupCommit } from './database/group-commit.ts'
import { grantedIn } from './grants/granted-row.ts'
import type { GrantedRanges, Holder, Lease, LeaseBook, LeaseRequest, SetUsage } from './lease-book.ts'
import { markHandedOver } from './records/handovers.ts'
import { heldBy, type LeaseCounts, type LeaseRow, leaseCounts, plainLease } from './records/lease-rows.ts'
import { runFaults } from './records/runs.ts'
import { LeaseStoreFailed } from './store-failed.ts'
import { namespaceAt } from './witness.ts'

// The database of leases as a LeaseBook. What is asked for in one turn of the event loop is one transaction.

/** What one node has, whichever process works with it. */
export const LEASES_PATH = '/var/lib/switchyard/ipam.db'

export interface LeaseBookParts {
  readonly path: string
  readonly clock: Clock
  /** Empty where the machine does not say. */
  readonly boot: string
  readonly witness?: NamespaceWitness
  /** How many callers may ask for a change soon, those that wait already included. */
  readonly expected?: () => number
}

/** Some milliseconds of work for each transaction: pods wait meanwhile. */
const AT_ONCE = 500

export class SqliteLeaseBook implements LeaseBook {
  readonly #database: Database
  readonly #changes: GroupCommit
  readonly #parts: Omit<LeaseBookParts, 'path'>
  #damage: LeaseStoreFailed | undefined

  private constructor(database: Database, parts: Omit<LeaseBookParts, 'path'>) {
    this.#database = database
    this.#changes = new GroupCommit(database, parts.expected)
    this.#parts = parts
  }

  /** Makes the database where there is none. Fails with LeaseStoreFailed. */
  static open(parts: LeaseBookParts): SqliteLeaseBook {
    return new SqliteLeaseBook(Database.open(parts.path), parts)
  }

  /** Closes the connection when it is closed itself. */
  static on(database: Database, parts: Omit<LeaseBookParts, 'path'>): SqliteLeaseBook {
    return new SqliteLeaseBook(database, parts)
  }

  take(request: LeaseRequest): Promise<readonly Lease[]> {
    return this.#change(context => take(request, context))
  }

  release(holder: Holder, why: string): Promise<readonly Lease[]> {
    return this.#change(context => release(holder, why, context), 'freeing')
  }

  async held(holder: Holder): Promise<readonly Lease[]> {
    return this.#database.read(() => heldBy(this.#database, holder)).map(plainLease)
  }

  async keepOnly(network: string, valid: readonly Omit<Holder, 'network'>[], why: string): Promise<readonly Lease[]> {
    const holders = this.#database.read(() => otherHolders(network, valid, this.#context()))
    return this.#inParts(0, (from, context) => {
      const [part, next] = [holders.slice(from, from + AT_ONCE), from + AT_ONCE]
      const ended = part.flatMap(holder => release(holder, why, context))
      return { ended, ...(next < holders.length && { next }) }
    })
  }

  async usage(
    request: Pick<LeaseRequest, 'sets' | 'overlap'> & { readonly network: string },
  ): Promise<readonly SetUsage[]> {
    return this.#database.read(() => usageOf(request, this.#context()))
  }

  /** What deletes no row writes nothing, and is refused where it could not. */
  ready(): Promise<void> {
    return this.#changes.change(() => void this.#context().database.run('DELETE FROM lease WHERE FALSE'))
  }

  async granted(): Promise<GrantedRanges | undefined> {
    return this.#database.read(() => grantedIn(this.#database))
  }

  /** Of all sets, as the configurations of their networks were last seen. */
  usages(): readonly RegisteredUsage[] {
    return this.#database.read(() => registeredUsages(this.#context()))
  }

  /** By network and state, for metrics. */
  counts(): readonly LeaseCounts[] {
    return this.#database.read(() => leaseCounts(this.#database))
  }

  /** Leases of another program, all of a network at once. */
  adopt(adoption: Adoption): Promise<Adopted> {
    return this.#changes.change(() => adopt(adoption, this.#context()))
  }

  /** These networks' leases, as they were at that time, are in host-local's directory: it gives their addresses from now on. */
  handOver(networks: readonly string[], at: number): Promise<void> {
    return this.#changes.change(() => {
      for (const network of networks) markHandedOver(this.#database, network, at)
    })
  }

  /** At the start of a daemon: leases of earlier boots whose namespaces are gone. `take` does the same once a set is full. */
  async releaseLeftOvers(): Promise<readonly Lease[]> {
    return this.#inParts({ scope: '', key: '' }, (from, context) => endSomeLeftOvers(context, from, AT_ONCE))
  }

  /**
   * Looks at the whole file; fails with LeaseStoreFailed where it is damaged, and then so does every change: an address given
   * from what is left might be that of a running pod.
   */
  verify(): void {
    try {
      const faults = this.#database.read(() => [...this.#database.faults(), ...runFaults(this.#database)])
      if (faults.length > 0) throw damaged(this.#database.path, faults.join('; '))
    } catch (error) {
      if (error instanceof LeaseStoreFailed && error.fault === 'damaged') this.#damage = error
      throw error
    }
  }

  close(): void {
    this.#changes.finish()
    this.#database.close()
  }

  async #change(work: (context: ChangeContext) => readonly LeaseRow[], kind?: ChangeKind): Promise<readonly Lease[]> {
    return (await this.#changes.change(() => work(this.#context()), kind)).map(plainLease)
  }

  /** Each part says where the next one begins. */
  async #inParts<From>(
    first: From,
    work: (from: From, context: ChangeContext) => { readonly ended: readonly LeaseRow[]; readonly next?: From },
  ): Promise<readonly Lease[]> {
    const all: Lease[] = []
    for (let from: From | undefined = first; from !== undefined; ) {
      const here: From = from
      const { ended, next } = await this.#changes.change(() => work(here, this.#context()), 'freeing')
      all.push(...ended.map(plainLease))
      from = next
    }
    return all
  }

  #context(): ChangeContext {
    if (this.#damage !== undefined) throw this.#damage
    const { clock, boot, witness = namespaceAt } = this.#parts
    return { database: this.#database, now: clock.now(), boot, witness }
  }
}
