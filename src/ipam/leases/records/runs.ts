import type { AddressSpan } from '#ipam/ranges/allocatable.ts'
import type { TakenView } from '#ipam/ranges/next-free.ts'
import type { Family } from '#values/address.ts'
import type { Database } from '../database/database.ts'
import { damagedRuns } from '../database/fault.ts'
import { familyOfKey, keyOfNumber, numberOfKey } from './sort-key.ts'

// The taken addresses of a scope as unbroken runs: taking one joins its neighbours, giving one back splits them.

interface Run {
  readonly first: string
  readonly last: string
}

export class Runs {
  readonly #database: Database
  readonly #scope: string

  constructor(database: Database, scope: string) {
    this.#database = database
    this.#scope = scope
  }

  view(family: Family): TakenView {
    return {
      runEnd: value => {
        const run = this.#around(keyOfNumber(family, value))
        return run && numberOfKey(run.last)
      },
    }
  }

  /** How many addresses of the span are taken. */
  count({ family, first, last }: AddressSpan): number {
    const [start, end] = [keyOfNumber(family, first), keyOfNumber(family, last)]
    const inside = this.#database.all(
      'SELECT max(first, ?) AS first, min(last, ?) AS last FROM run WHERE scope = ? AND first BETWEEN ? AND ?',
      ...[start, end, this.#scope, this.#around(start)?.first ?? start, end],
    ) as unknown as readonly Run[]
    return inside.reduce((total, run) => total + Number(numberOfKey(run.last) - numberOfKey(run.first)) + 1, 0)
  }

  add(key: string): void {
    const next = shifted(key, 1n) || key
    const nearest = this.#database.all(
      'SELECT first, last FROM run WHERE scope IN (?) AND first <= ? ORDER BY first DESC LIMIT 2',
      ...[this.#scope, next],
    ) as unknown as readonly Run[]
    const after = nearest.find(({ first }) => first === next && first !== key)
    const before = nearest.find(({ first }) => first !== after?.first)
    if (before !== undefined && before.last >= key) throw damagedRuns(this.#database.path, key)
    if (before?.last === shifted(key, -1n)) {
      if (after !== undefined) this.#delete(after)
      this.#end(before, after?.last ?? key)
    } else if (after !== undefined) this.#begin(after, key)
    else this.#insert(key, key)
  }

  remove(key: string): void {
    const run = this.#around(key)
    if (run === undefined) throw damagedRuns(this.#database.path, key)
    if (run.first === key && run.last === key) this.#delete(run)
    else if (run.first === key) this.#begin(run, shifted(key, 1n))
    else {
      this.#end(run, shifted(key, -1n))
      if (run.last > key) this.#insert(shifted(key, 1n), run.last)
    }
  }

  /** The run this address lies in. With `scope = ?`, SQLite would compile the statement anew each time: see `leaseRows`. */
  #around(key: string): Run | undefined {
    const sql = 'SELECT first, last FROM run WHERE scope IN (?) AND first <= ? ORDER BY first DESC LIMIT 1'
    const run = this.#database.get(sql, this.#scope, key) as Run | undefined
    return run !== undefined && run.last >= key ? run : undefined
  }

  #insert(first: string, last: string): void {
    this.#database.run('INSERT INTO run (scope, first, last) VALUES (?, ?, ?)', this.#scope, first, last)
  }

  #begin(run: Run, first: string): void {
    this.#database.run('UPDATE run SET first = ? WHERE scope = ? AND first = ?', first, this.#scope, run.first)
  }

  #end(run: Run, last: string): void {
    this.#database.run('UPDATE run SET last = ? WHERE scope = ? AND first = ?', last, this.#scope, run.first)
  }

  #delete({ first }: Run): void {
    this.#database.run('DELETE FROM run WHERE scope = ? AND first = ?', this.#scope, first)
  }
}

/** The sum over all runs is the number of leases; where it is not, a change was written by half. */
export function runFaults(database: Database): readonly string[] {
  const leases = new Map<string, number>()
  for (const { scope, count } of database.all('SELECT scope, count(*) AS count FROM lease GROUP BY scope')) {
    leases.set(String(scope), Number(count))
  }
  const covered = new Map<string, bigint>()
  for (const { scope, first, last } of database.all('SELECT scope, first, last FROM run')) {
    const length = numberOfKey(String(last)) - numberOfKey(String(first)) + 1n
    covered.set(String(scope), (covered.get(String(scope)) ?? 0n) + length)
  }
  return [...new Set([...leases.keys(), ...covered.keys()])]
    .filter(scope => BigInt(leases.get(scope) ?? 0) !== (covered.get(scope) ?? 0n))
    .map(
      scope =>
        `${leases.get(scope) ?? 0} leases of ${scope || 'the node'}, and runs of ${covered.get(scope) ?? 0n} addresses`,
    )
}

/** Empty before the first address and behind the last one: no run has that. */
function shifted(key: string, by: bigint): string {
  const next = numberOfKey(key) + by
  const text = next < 0n ? '' : keyOfNumber(familyOfKey(key), next)
  return text.length === key.length ? text : ''
}
