import { Database, type Row } from '../database/database.ts'
import type { Holder } from '../lease-book.ts'
import type { KeptRules, RuleBook, RuleKind } from './rule-book.ts'

// The same database as a RuleBook. No change waits for the disk: where power is lost, the rules are, too.

const KEY = 'network = ? AND container = ? AND ifname = ? AND kind = ?'
const COLUMNS = 'network, container, ifname, kind, netns, namespace_id, boot, wanted'

export class SqliteRuleBook implements RuleBook {
  readonly #database: Database

  private constructor(database: Database) {
    this.#database = database
  }

  /** Makes the database where there is none. Fails with LeaseStoreFailed, as everything here. */
  static open(path: string): SqliteRuleBook {
    return new SqliteRuleBook(Database.open(path))
  }

  /** Closes the connection when it is closed itself. */
  static on(database: Database): SqliteRuleBook {
    return new SqliteRuleBook(database)
  }

  async keep({ holder, kind, netns, namespaceId, boot, wanted }: KeptRules): Promise<void> {
    const sql = `INSERT OR REPLACE INTO written (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
    const values = [...keyOf(holder, kind), netns, namespaceId, boot, wanted]
    this.#database.writeUnsynced(() => this.#database.run(sql, ...values))
  }

  async forget(holder: Holder, kind: RuleKind): Promise<void> {
    const key = keyOf(holder, kind)
    if (this.#kept(key) === undefined) return
    this.#forget([key])
  }

  async keepOnly(network: string, holders: readonly Holder[], kind: RuleKind): Promise<void> {
    const valid = new Set(holders.map(({ container, ifname }) => `${container} ${ifname}`))
    const sql = 'SELECT network, container, ifname FROM written WHERE network = ? AND kind = ?'
    const kept = this.#database.read(() => this.#database.all(sql, network, kind)).map(holderOf)
    const gone = kept.filter(({ container, ifname }) => !valid.has(`${container} ${ifname}`))
    if (gone.length > 0) this.#forget(gone.map(holder => keyOf(holder, kind)))
  }

  async isKept({ holder, kind, boot, wanted }: KeptRules): Promise<boolean> {
    const row = this.#kept(keyOf(holder, kind))
    return row?.boot === boot && row.wanted === wanted
  }

  async all(boot: string): Promise<readonly KeptRules[]> {
    const sql = `SELECT ${COLUMNS} FROM written WHERE boot = ? ORDER BY id`
    return this.#database
      .read(() => this.#database.all(sql, boot))
      .map(row => ({
        holder: holderOf(row),
        kind: String(row.kind) as RuleKind,
        netns: String(row.netns),
        namespaceId: String(row.namespace_id),
        boot: String(row.boot),
        wanted: String(row.wanted),
      }))
  }

  close(): void {
    this.#database.close()
  }

  /** A part of each DEL. */
  #forget(keys: readonly (readonly string[])[]): void {
    this.#database.freeing(() =>
      this.#database.writeUnsynced(() => {
        for (const key of keys) this.#database.run(`DELETE FROM written WHERE ${KEY}`, ...key)
      }),
    )
  }

  #kept(key: readonly string[]): Row | undefined {
    return this.#database.read(() => this.#database.get(`SELECT boot, wanted FROM written WHERE ${KEY}`, ...key))
  }
}

function keyOf({ network, container, ifname }: Holder, kind: RuleKind): [string, string, string, string] {
  return [network, container, ifname, kind]
}

function holderOf({ network, container, ifname }: Row): Holder {
  return { network: String(network), container: String(container), ifname: String(ifname) }
}
