import type { RangeSet } from '#ipam/ranges/range-set.ts'
import type { Address } from '#values/address.ts'
import type { Database } from '../database/database.ts'
import { addressOfKey } from './sort-key.ts'

// What networks give addresses from, as their configurations were last seen, and the address each set gave last.

export interface RegisteredSet {
  readonly network: string
  readonly set: number
  readonly scope: string
  /** Empty where only the address given last is known. */
  readonly ranges: RangeSet | readonly []
  readonly given?: Address
}

export interface SetsToRegister {
  readonly scope: string
  readonly sets: readonly RangeSet[]
  /** They are those of the node: when it has others, so has the network. */
  readonly areGranted: boolean
}

/** Writes only what has changed: usually nothing. */
export function registerSets(database: Database, network: string, { scope, sets, areGranted }: SetsToRegister): void {
  const before = rowsOf(database, network)
  const granted = areGranted ? 1 : 0
  sets.forEach((ranges, set) => {
    const [text, known] = [textOf(ranges), before.find(row => Number(row.range_set) === set)]
    if (known?.ranges === text && known.scope === scope && Number(known.granted) === granted) return
    database.run(
      `INSERT INTO range (network, range_set, scope, ranges, granted) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET scope = excluded.scope, ranges = excluded.ranges, granted = excluded.granted`,
      ...[network, set, scope, text, granted],
    )
  })
  if (before.length > sets.length) {
    database.run('DELETE FROM range WHERE network = ? AND range_set >= ?', network, sets.length)
  }
}

/** Networks that give the node's ranges have these from now on. */
export function grantSets(database: Database, sets: readonly RangeSet[]): void {
  // They stay networks of the node's ranges while it has none: their pods have addresses of it.
  if (sets.length === 0) {
    database.run("UPDATE range SET ranges = '[]' WHERE granted = 1")
    return
  }
  for (const { network, scope } of grantedNetworks(database)) {
    registerSets(database, network, { scope, sets, areGranted: true })
  }
}

export function grantedNetworks(database: Database): readonly { readonly network: string; readonly scope: string }[] {
  return database
    .all('SELECT DISTINCT network, scope FROM range WHERE granted = 1')
    .map(({ network, scope }) => ({ network: String(network), scope: String(scope) }))
}

/** Undefined where the network has given no address yet. */
export function registeredScope(database: Database, network: string): string | undefined {
  const scope = database.get('SELECT scope FROM range WHERE network = ? LIMIT 1', network)?.scope
  return scope === undefined ? undefined : String(scope)
}

export function givenLast(database: Database, network: string, set: number): Address | undefined {
  const key = database.get('SELECT given FROM range WHERE network = ? AND range_set = ?', network, set)?.given
  return typeof key === 'string' ? addressOfKey(key) : undefined
}

/** Also of a set whose ranges are not known yet. */
export function setGivenLast(
  database: Database,
  network: string,
  { set, key, scope }: { readonly set: number; readonly key: string; readonly scope: string },
): void {
  database.run(
    `INSERT INTO range (network, range_set, scope, ranges, given) VALUES (?, ?, ?, '[]', ?)
     ON CONFLICT DO UPDATE SET given = excluded.given`,
    ...[network, set, scope, key],
  )
}

/** Of all networks. */
export function registeredSets(database: Database): readonly RegisteredSet[] {
  const rows = database.all('SELECT network, range_set, scope, ranges, given FROM range ORDER BY network, range_set')
  return rows.map(row => ({
    network: String(row.network),
    set: Number(row.range_set),
    scope: String(row.scope),
    ranges: rangesOf(String(row.ranges)),
    ...(typeof row.given === 'string' && { given: addressOfKey(row.given) }),
  }))
}

/** Another network's gateway is no address for a pod, even where that network has given none. */
export function foreignGateways(database: Database, network: string, scope: string): ReadonlySet<Address> {
  const rows = database.all('SELECT ranges FROM range WHERE scope = ? AND network <> ?', scope, network)
  return new Set(rows.flatMap(({ ranges }) => [...rangesOf(String(ranges))].map(({ gateway }) => gateway)))
}

function rowsOf(database: Database, network: string) {
  return database.all('SELECT range_set, scope, ranges, granted FROM range WHERE network = ?', network)
}

/** The same ranges are the same text. */
function textOf(ranges: RangeSet): string {
  return JSON.stringify(ranges.map(({ subnet, start, end, gateway }) => ({ subnet, start, end, gateway })))
}

/** Only the functions above write it. */
function rangesOf(text: string): RangeSet | readonly [] {
  return JSON.parse(text) as RangeSet | readonly []
}
