import type { Address } from '#values/address.ts'
import type { LeaseRow } from '../records/lease-rows.ts'
import type { ChangeContext } from './context.ts'
import { FreeSearch } from './search.ts'
import { EXPIRED_AT_ONCE, expired, leftOvers } from './sweep.ts'
import { type RegisteredUsage, registeredUsages } from './usage.ts'

// The sets of all networks → what a `take` for a new pod would give now. It changes nothing.

export interface NextAddress extends RegisteredUsage {
  /** Absent where none is free. */
  readonly address?: Address
}

export function nextAddresses(context: ChangeContext): readonly NextAddress[] {
  const networks = Map.groupBy(registeredUsages(context), ({ network }) => network)
  return [...networks.values()].flatMap(sets => nextOf(sets, context))
}

function nextOf(usages: readonly RegisteredUsage[], context: ChangeContext): readonly NextAddress[] {
  const { network, overlap } = usages[0]!
  const sets = usages.map(({ ranges }) => ranges)
  const search = new FreeSearch({ network, overlap, sets }, context.database)
  const sweep = new Sweep(context, search.scope)
  return usages.map(usage => {
    const address = sweep.next(ended => search.next(usage.set, ended))
    return { ...usage, ...(address !== undefined && { address }) }
  })
}

/** What `take` deletes on its way, step by step: what one set has needed, the next one finds done. */
class Sweep {
  readonly #context: ChangeContext
  readonly #scope: string
  #ended: readonly LeaseRow[]

  constructor(context: ChangeContext, scope: string) {
    this.#context = context
    this.#scope = scope
    this.#ended = expired(context, EXPIRED_AT_ONCE)
  }

  next(search: (ended: readonly LeaseRow[]) => Address | undefined): Address | undefined {
    const steps = [
      () => this.#ended,
      () => expired(this.#context, Number.MAX_SAFE_INTEGER),
      () => [...this.#ended, ...leftOvers(this.#context, this.#scope)],
    ]
    for (const step of steps) {
      this.#ended = step()
      const found = search(this.#ended)
      if (found !== undefined) return found
    }
    return undefined
  }
}
