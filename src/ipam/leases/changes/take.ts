import type { AddressSpan } from '#ipam/ranges/allocatable.ts'
import { type Address, addressNumber, familyOf } from '#values/address.ts'
import { grantedRevision } from '../grants/granted-row.ts'
import { LeaseRefused, type LeaseRequest } from '../lease-book.ts'
import { endLease, heldBy, insertLease, type LeaseRow, plainLease } from '../records/lease-rows.ts'
import { registeredScope, registerSets, setGivenLast } from '../records/range-rows.ts'
import { sortKey } from '../records/sort-key.ts'
import { type ChangeContext, isLeftOver, LEFT_OVER } from './context.ts'
import { FreeSearch } from './search.ts'
import { EXPIRED_AT_ONCE, endExpired, endLeftOvers, moveToScope } from './sweep.ts'
import { usageOf } from './usage.ts'

// A request → a lease of every set, inside of one transaction; or LeaseRefused, and then none.

export function take(request: LeaseRequest, context: ChangeContext): readonly LeaseRow[] {
  const { owner, sets } = request
  const { database } = context
  if (request.revision !== undefined && grantedRevision(database) !== request.revision) {
    throw new LeaseRefused({ kind: 'outdated', set: 0 })
  }
  const taking = new Taking(request, context)
  const held = heldBy(database, owner)
  const leftOver = held.length > 0 && held.every(lease => isLeftOver(lease, context))
  if (leftOver) for (const lease of held) endLease(database, lease, { at: context.now, why: LEFT_OVER, cooldownMs: 0 })
  if (held.length > 0 && !leftOver) return taking.again(held)
  endExpired(context, EXPIRED_AT_ONCE)
  // What was read from another program's directory is in the scope of the node, though the network may be registered nowhere.
  if ((registeredScope(database, owner.network) ?? '') !== taking.scope) {
    moveToScope(database, owner.network, taking.scope)
  }
  registerSets(database, owner.network, { scope: taking.scope, sets, areGranted: request.revision !== undefined })
  return sets.map((_, set) => taking.one(set))
}

class Taking {
  readonly scope: string
  readonly #request: LeaseRequest
  readonly #context: ChangeContext
  readonly #search: FreeSearch
  readonly #spans: FreeSearch['spans']

  constructor(request: LeaseRequest, context: ChangeContext) {
    this.#request = request
    this.#context = context
    const { owner, sets, overlap } = request
    this.#search = new FreeSearch({ network: owner.network, sets, overlap }, context.database)
    this.scope = this.#search.scope
    this.#spans = this.#search.spans
  }

  /** What the holder has, where it may have it again. */
  again(held: readonly LeaseRow[]): readonly LeaseRow[] {
    const { owner, onDuplicate, requested } = this.#request
    const same = held.every(({ boot, namespaceId }) => boot === this.#context.boot && namespaceId === owner.namespaceId)
    const fits =
      held.length === this.#spans.length &&
      held.every(({ set, address }, i) => set === i && isIn(this.#spans[set]!, address)) &&
      requested.every(address => held.some(lease => lease.address === address))
    if (onDuplicate === 'reuse' && same && fits) return held
    const lease = held[0]!
    throw new LeaseRefused({ kind: 'duplicate', set: lease.set, lease: plainLease(lease) })
  }

  one(set: number): LeaseRow {
    const { owner, cooldownMs } = this.#request
    const { database, boot, now } = this.#context
    const wanted = this.#request.requested.find(address => isIn(this.#spans[set]!, address))
    const key = sortKey(wanted === undefined ? this.#next(set) : this.#asked(wanted, set))
    setGivenLast(database, owner.network, { set, key, scope: this.scope })
    return insertLease(database, { owner, scope: this.scope, key, set, boot, at: now, cooldownMs })
  }

  /** Makes room for an address that was asked for, where that hurts no pod. */
  #asked(address: Address, set: number): Address {
    const { database, now } = this.#context
    for (const lease of this.#search.occupants(address)) {
      const isOver =
        lease.state === 'cooldown' && (lease.until! <= now || lease.network === this.#request.owner.network)
      if (!isOver && !(lease.state === 'assigned' && isLeftOver(lease, this.#context))) {
        throw new LeaseRefused({ kind: 'taken', set, address, lease: plainLease(lease) })
      }
      endLease(database, lease, { at: now, why: LEFT_OVER, cooldownMs: 0 })
    }
    const user = this.#search.userOf(address)
    if (user !== undefined) throw new LeaseRefused({ kind: 'taken', set, address, lease: user })
    return address
  }

  #next(set: number): Address {
    const free =
      this.#search.next(set) ??
      (endExpired(this.#context, Number.MAX_SAFE_INTEGER) > 0 ? this.#search.next(set) : undefined) ??
      (endLeftOvers(this.#context, this.scope) > 0 ? this.#search.next(set) : undefined)
    if (free !== undefined) return free
    const { owner, sets, overlap } = this.#request
    const usage = usageOf({ network: owner.network, sets, overlap }, this.#context)[set]!
    throw new LeaseRefused({ kind: 'full', set, usage })
  }
}

function isIn(spans: readonly AddressSpan[], address: Address): boolean {
  const number = addressNumber(address)
  return spans.some(({ family, first, last }) => family === familyOf(address) && first <= number && number <= last)
}
