import type { DhcpBook } from '#ipam/leases/dhcp/dhcp-book.ts'
import type { AddressConflict, LeakBook } from '#ipam/leases/leaks/leak-book.ts'
import type { Lease, LeaseOwner } from '#ipam/leases/lease-book.ts'
import type { RegisteredSet } from '#ipam/leases/records/range-rows.ts'
import { rangeOf } from '#ipam/ranges/range-bounds.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { type NamespaceLook, namespaceLook, type SeenNamespaces } from '#ipam/witnesses/namespace-witness.ts'
import type { Networks } from '#system/network/network.ts'
import type { Clock } from '#system/ports.ts'
import type { Address } from '#values/address.ts'
import { grantedLease } from './granted.ts'

// The namespaces of our pods, also of those whose leases have ended → addresses of our ranges on their interfaces that are not
// leased to them.

export interface FoundConflict extends AddressConflict {
  /** Who has the lease. */
  readonly leasedTo?: Lease
  /** Found in this round, and not in one before. */
  readonly isNew?: true
  /** Of the pod, where that is known and the conflict is new. */
  readonly uid?: string
}

export interface ConflictParts {
  readonly book: LeakBook
  /** Absent where no DHCP is spoken. */
  readonly dhcp?: Pick<DhcpBook, 'all'> | undefined
  readonly networks: Networks
  readonly files: SeenNamespaces
  /** It may remember what it saw in this round. */
  readonly look: NamespaceLook
  readonly clock: Clock
  readonly boot: string
}

/** A lease that was released while its pod lives on is among the last that ended; looking at all would take longer each day. */
const LAST_ENDED = 1000

/** Leases come a page at a time: each page is listed before its namespaces are looked at. */
export class ConflictSearch {
  readonly #parts: ConflictParts
  readonly #known: readonly AddressConflict[]
  readonly #ranges: ReadonlyMap<string, readonly RegisteredSet[]>
  /** By namespace and address: holders of several pages may share a namespace. */
  readonly #found = new Map<string, FoundConflict>()

  private constructor(parts: ConflictParts, known: readonly AddressConflict[], sets: readonly RegisteredSet[]) {
    this.#parts = parts
    this.#known = known
    this.#ranges = Map.groupBy(sets, ({ network }) => network)
  }

  static async begin(parts: ConflictParts): Promise<ConflictSearch> {
    return new ConflictSearch(parts, await parts.book.conflicts(), await parts.book.sets())
  }

  async lookAt(owners: readonly PlacedOwner[]): Promise<void> {
    const found: FoundConflict[] = []
    for (const place of placesOf(owners, this.#parts.boot)) {
      const before = this.#known.filter(one => one.netns === place.netns && one.namespaceId === place.namespaceId)
      const seen = await this.#parts.look(place.netns, place.namespaceId)
      if (seen === 'failed') found.push(...before)
      else if (seen !== 'gone') for (const address of seen) found.push(...this.#unleased(address, place, before))
    }
    const added = found.filter(one => !this.#found.has(placeKey(one)))
    for (const one of await confirmed(added, this.#parts)) this.#found.set(placeKey(one), one)
  }

  /** With the namespaces of leases that have ended, and those of conflicts of rounds before. */
  async end(): Promise<readonly FoundConflict[]> {
    await this.lookAt([...(await this.#parts.book.ended(this.#parts.boot, LAST_ENDED)), ...this.#known])
    return [...this.#found.values()]
  }

  /** None, or one. */
  #unleased(address: Address, place: PodPlace, before: readonly AddressConflict[]): readonly FoundConflict[] {
    const owner = place.owners.find(one => this.#isOf(one.network, address))
    if (owner === undefined || place.leased.has(address)) return []
    const known = before.find(one => one.address === address && one.container === owner.container)
    const { boot, clock } = this.#parts
    return [known ?? { ...conflictOf(owner, place), address, boot, at: clock.now(), isNew: true }]
  }

  #isOf(network: string, address: Address): boolean {
    const sets = this.#ranges.get(network) ?? []
    return sets.some(set => rangeOf(set.ranges as RangeSet, address) !== undefined)
  }
}

/**
 * A pod may have been given an address since its leases were listed, or have lost it since it was looked at; and its leases may be
 * in another page. So the book is asked, the namespace is looked at once more, and the book is asked again.
 */
async function confirmed(found: readonly FoundConflict[], parts: ConflictParts): Promise<readonly FoundConflict[]> {
  const left = without(found, await holding(found, parts))
  if (left.length === 0) return []
  const look = namespaceLook(parts)
  const named = await Promise.all(
    left.map(async one => {
      if (!one.isNew) return [one]
      const seen = await look(one.netns, one.namespaceId)
      const link = typeof seen === 'object' && seen.has(one.address) ? await linkWith(parts.networks, one) : undefined
      return link === undefined ? [] : [{ ...one, ifname: link }]
    }),
  )
  const held = await holding(named.flat(), parts)
  return without(named.flat(), held).map(one => {
    const leasedTo = held.find(({ address, network }) => address === one.address && network === one.network)
    return leasedTo === undefined ? one : { ...one, leasedTo }
  })
}

async function holding(found: readonly FoundConflict[], { book, dhcp }: ConflictParts): Promise<readonly Lease[]> {
  if (found.length === 0) return []
  const addresses = new Set(found.map(({ address }) => address))
  const granted = ((await dhcp?.all()) ?? []).map(grantedLease).filter(({ address }) => addresses.has(address))
  return [...(await book.holding([...addresses])), ...granted]
}

function without(found: readonly FoundConflict[], held: readonly Lease[]): readonly FoundConflict[] {
  return found.filter(one => !held.some(lease => lease.address === one.address && isOfUser(lease, one)))
}

function placeKey({ netns, namespaceId, address }: AddressConflict): string {
  return `${netns} ${namespaceId} ${address}`
}

interface PodPlace {
  readonly netns: string
  readonly namespaceId: string
  readonly owners: LeaseOwner[]
  readonly leased: Set<Address>
}

/** Of a lease that is held, with its state. */
type PlacedOwner = LeaseOwner & Pick<Lease, 'boot' | 'address'> & Partial<Pick<Lease, 'state'>>

/** No namespace outlives the machine, and where a path alone is known, another pod's may be there by now. */
function placesOf(owners: readonly PlacedOwner[], boot: string): readonly PodPlace[] {
  const places = new Map<string, PodPlace>()
  for (const owner of owners) {
    const { netns, namespaceId } = owner
    if (netns === undefined || namespaceId === undefined || owner.boot !== boot) continue
    const key = `${netns} ${namespaceId}`
    const place = places.get(key) ?? { netns, namespaceId, owners: [], leased: new Set() }
    place.owners.push(owner)
    if (owner.state === 'assigned') place.leased.add(owner.address)
    places.set(key, place)
  }
  return [...places.values()]
}

function conflictOf({ network, container, ifname, pod, uid }: LeaseOwner, { netns, namespaceId }: PodPlace) {
  const named = { ...(pod !== undefined && { pod }), ...(uid !== undefined && { uid }) }
  return { network, container, ifname, ...named, netns, namespaceId }
}

/** Containers may share a namespace. */
function isOfUser(lease: Lease, { container, netns, namespaceId }: AddressConflict): boolean {
  return lease.container === container || (lease.netns === netns && lease.namespaceId === namespaceId)
}

/** Undefined where it is gone by now. */
async function linkWith(networks: Networks, { netns, address }: AddressConflict): Promise<string | undefined> {
  try {
    const pod = await networks.open(netns)
    try {
      const [links, addresses] = [await pod.links(), await pod.addresses()]
      const index = addresses.find(one => one.address === address)?.link
      return links.find(one => one.index === index)?.name
    } finally {
      pod.close()
    }
  } catch {
    return undefined
  }
}
