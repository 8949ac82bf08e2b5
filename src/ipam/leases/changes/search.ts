import { type AddressSpan, allocatable } from '#ipam/ranges/allocatable.ts'
import { nextFree, type TakenView } from '#ipam/ranges/next-free.ts'
import type { Address } from '#values/address.ts'
import type { Database } from '../database/database.ts'
import { conflictAddresses, conflictAt } from '../leaks/conflict-rows.ts'
import type { Lease, LeaseRequest } from '../lease-book.ts'
import type { LeaseRow } from '../records/lease-rows.ts'
import { type NetworkInScope, occupants } from '../records/occupants.ts'
import { foreignGateways, givenLast } from '../records/range-rows.ts'
import { Runs } from '../records/runs.ts'
import { numberOfKey } from '../records/sort-key.ts'
import { scopeOf } from './context.ts'

// The range sets of a network → the address that each gives next. It only looks.

export type SearchedSets = Pick<LeaseRequest, 'sets' | 'overlap'> & { readonly network: string }

export class FreeSearch {
  readonly scope: string
  /** What each set may give. */
  readonly spans: readonly (readonly AddressSpan[])[]
  readonly #network: string
  readonly #database: Database
  readonly #foreign: ReadonlySet<Address>

  constructor(searched: SearchedSets, database: Database) {
    this.#network = searched.network
    this.#database = database
    this.scope = scopeOf(searched)
    this.spans = allocatable(searched.sets)
    const gateways = foreignGateways(database, this.#network, this.scope)
    this.#foreign = new Set([...gateways, ...conflictAddresses(database, this.#place)])
  }

  /** Undefined where none is free. `ended` are leases that are to be deleted before, and count as if they were. */
  next(set: number, ended: readonly LeaseRow[] = []): Address | undefined {
    const spans = this.spans[set]!
    const runs = new Runs(this.#database, this.scope).view(spans[0]?.family ?? 'ipv4')
    const own = ended.filter(({ scope, family }) => scope === this.scope && family === spans[0]?.family)
    const view = viewWithout(
      runs,
      own.map(({ key }) => numberOfKey(key)),
    )
    const first = nextFree(spans, givenLast(this.#database, this.#network, set), view)
    let free = first
    while (free !== undefined && !this.#mayBeGiven(free, ended)) {
      free = nextFree(spans, free, view)
      // Once around: all that is left is what may not be given.
      if (free === first) return undefined
    }
    return free
  }

  occupants(address: Address): readonly LeaseRow[] {
    return occupants(this.#database, this.#place, address)
  }

  /** Of a pod that has no lease of it, as if it had. */
  userOf(address: Address): Lease | undefined {
    return conflictAt(this.#database, this.#place, address)
  }

  get #place(): NetworkInScope {
    return { network: this.#network, scope: this.scope }
  }

  #mayBeGiven(address: Address, ended: readonly LeaseRow[]): boolean {
    const isEnded = (row: LeaseRow): boolean => ended.some(({ scope, key }) => scope === row.scope && key === row.key)
    return !this.#foreign.has(address) && this.occupants(address).every(isEnded)
  }
}

/** The same runs with gaps where these were. */
function viewWithout(runs: TakenView, ended: readonly bigint[]): TakenView {
  if (ended.length === 0) return runs
  const gaps = new Set(ended)
  const sorted = [...gaps].sort((a, b) => (a < b ? -1 : 1))
  return {
    runEnd: value => {
      const end = gaps.has(value) ? undefined : runs.runEnd(value)
      const gap = end === undefined ? undefined : sorted.find(number => number > value && number <= end)
      return gap === undefined ? end : gap - 1n
    },
  }
}
