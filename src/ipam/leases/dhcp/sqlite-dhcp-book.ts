import { Database, type Row } from '../database/database.ts'
import type { Holder } from '../lease-book.ts'
import type { DhcpBook, DhcpRecord } from './dhcp-book.ts'

// The same database as a DhcpBook. Changes are as rare as renewals, so each is a transaction of its own.

const KEY = 'network = ? AND container = ? AND ifname = ?'

export class SqliteDhcpBook implements DhcpBook {
  readonly #database: Database

  private constructor(database: Database) {
    this.#database = database
  }

  /** Makes the database where there is none. Fails with LeaseStoreFailed, as everything here. */
  static open(path: string): SqliteDhcpBook {
    return new SqliteDhcpBook(Database.open(path))
  }

  /** Closes the connection when it is closed itself. */
  static on(database: Database): SqliteDhcpBook {
    return new SqliteDhcpBook(database)
  }

  async put(record: DhcpRecord): Promise<void> {
    const sql = 'INSERT OR REPLACE INTO dhcp (network, container, ifname, due, record) VALUES (?, ?, ?, ?, ?)'
    this.#database.write(() => this.#database.run(sql, ...keyOf(record.owner), record.dueAt, JSON.stringify(record)))
  }

  async replace(before: DhcpRecord, after: DhcpRecord): Promise<boolean> {
    const sql = `UPDATE dhcp SET due = ?, record = ? WHERE ${KEY} AND record = ?`
    const values = [after.dueAt, JSON.stringify(after), ...keyOf(before.owner), JSON.stringify(before)] as const
    // A pod that has its address already loses it where this is not written.
    return this.#database.freeing(() => this.#database.write(() => this.#database.run(sql, ...values))) === 1
  }

  async remove(holder: Holder): Promise<DhcpRecord | undefined> {
    const sql = `DELETE FROM dhcp WHERE ${KEY} RETURNING record`
    return this.#database.freeing(() => this.#database.write(() => recordOf(this.#database.get(sql, ...keyOf(holder)))))
  }

  async held(holder: Holder): Promise<DhcpRecord | undefined> {
    return this.#database.read(() =>
      recordOf(this.#database.get(`SELECT record FROM dhcp WHERE ${KEY}`, ...keyOf(holder))),
    )
  }

  async all(): Promise<readonly DhcpRecord[]> {
    return this.#database
      .read(() => this.#database.all('SELECT record FROM dhcp ORDER BY network, container, ifname'))
      .map(row => recordOf(row)!)
  }

  async due(at: number): Promise<readonly DhcpRecord[]> {
    return this.#database
      .read(() => this.#database.all('SELECT record FROM dhcp WHERE due <= ? ORDER BY due', at))
      .map(row => recordOf(row)!)
  }

  close(): void {
    this.#database.close()
  }
}

function keyOf({ network, container, ifname }: Holder): [string, string, string] {
  return [network, container, ifname]
}

/** What we wrote ourselves. */
function recordOf(row: Row | undefined): DhcpRecord | undefined {
  return row === undefined ? undefined : (JSON.parse(String(row.record)) as DhcpRecord)
}
