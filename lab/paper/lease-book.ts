import { isLeftOver, scopeOf } from '#ipam/leases/changes/context.ts'
import {
  type GrantedRanges,
  type Holder,
  type Lease,
  type LeaseBook,
  LeaseRefused,
  type LeaseRequest,
  type SetUsage,
} from '#ipam/leases/lease-book.ts'
import type { LeaseBookParts } from '#ipam/leases/sqlite-lease-book.ts'
import { type AddressSpan, allocatable, spanSize } from '#ipam/ranges/allocatable.ts'
import { nextFree } from '#ipam/ranges/next-free.ts'
import { type Address, addressFromNumber, addressNumber, familyOf } from '#values/address.ts'

// Leases in memory, found by looking at every one: slow, plain, and what the database must behave like.

interface PaperLease extends Lease {
  readonly scope: string
  readonly cooldownMs: number
}

type Sets = Pick<LeaseRequest, 'sets' | 'overlap'> & { readonly network: string }

export class PaperLeaseBook implements LeaseBook {
  readonly #parts: Required<Omit<LeaseBookParts, 'path' | 'expected'>>
  grantedRanges: GrantedRanges | undefined
  #leases: readonly PaperLease[] = []
  readonly #networks = new Map<string, { readonly scope: string; readonly gateways: readonly Address[] }>()
  readonly #given = new Map<string, Address>()

  constructor({ clock, boot, witness = () => undefined }: Omit<LeaseBookParts, 'path'>) {
    this.#parts = { clock, boot, witness }
  }

  async take(request: LeaseRequest): Promise<readonly Lease[]> {
    const { owner, sets, revision } = request
    if (revision !== undefined && revision !== this.grantedRanges?.revision)
      throw new LeaseRefused({ kind: 'outdated', set: 0 })
    const before = { leases: this.#leases, given: new Map(this.#given) }
    const held = this.#heldBy(owner)
    const leftOver = held.length > 0 && held.every(lease => this.#isLeftOver(lease))
    if (held.length > 0 && !leftOver) return this.#again(request, held).map(plain)
    this.#drop(lease => held.includes(lease))
    const scope = scopeOf({ network: owner.network, overlap: request.overlap })
    this.#networks.set(owner.network, { scope, gateways: sets.flat().map(({ gateway }) => gateway) })
    try {
      return allocatable(sets).map((spans, set) => plain(this.#one(request, set, spans)))
    } catch (error) {
      this.#leases = before.leases
      for (const [key, address] of before.given) this.#given.set(key, address)
      throw error
    }
  }

  async release(holder: Holder): Promise<readonly Lease[]> {
    return this.#end(this.#heldBy(holder))
  }

  async held(holder: Holder): Promise<readonly Lease[]> {
    return this.#heldBy(holder).map(plain)
  }

  async keepOnly(network: string, attachments: readonly Omit<Holder, 'network'>[]): Promise<readonly Lease[]> {
    const others = this.#leases.filter(
      lease =>
        lease.network === network &&
        lease.state === 'assigned' &&
        !attachments.some(({ container, ifname }) => container === lease.container && ifname === lease.ifname),
    )
    const order = ({ container, ifname }: Holder) => `${container} ${ifname}`
    return this.#end(others.sort((a, b) => (order(a) < order(b) ? -1 : 1)))
  }

  async ready(): Promise<void> {}

  async usage(request: Sets): Promise<readonly SetUsage[]> {
    return allocatable(request.sets).map(spans => this.#usage(request, spans))
  }

  /** Whatever a test has the node be given. */
  async granted(): Promise<GrantedRanges | undefined> {
    return this.grantedRanges
  }

  /** The same leases once the machine has started anew. */
  restarted(boot: string, clock = this.#parts.clock): PaperLeaseBook {
    const book = new PaperLeaseBook({ ...this.#parts, boot, clock })
    book.#leases = this.#leases
    for (const [network, facts] of this.#networks) book.#networks.set(network, facts)
    for (const [set, address] of this.#given) book.#given.set(set, address)
    return book
  }

  close(): void {}

  #one(request: LeaseRequest, set: number, spans: readonly AddressSpan[]): PaperLease {
    const { owner, requested, cooldownMs } = request
    const wanted = requested.find(one => isIn(spans, one))
    const address = wanted === undefined ? this.#next(request, set, spans) : this.#asked(request, set, wanted)
    const lease: PaperLease = {
      ...owner,
      ...{ address, family: familyOf(address), set, boot: this.#parts.boot, state: 'assigned' },
      ...{ at: this.#parts.clock.now(), cooldownMs, scope: scopeOf({ ...request, network: owner.network }) },
    }
    this.#leases = [...this.#leases, lease]
    this.#given.set(`${owner.network} ${set}`, address)
    return lease
  }

  #next(request: LeaseRequest, set: number, spans: readonly AddressSpan[]): Address {
    const asked = { ...request, network: request.owner.network }
    this.#drop(lease => this.#isOver(lease))
    const given = this.#given.get(`${asked.network} ${set}`)
    const free = () => nextFree(spans, given, { runEnd: value => this.#runEnd(asked, spans[0]!.family, value) })
    let address = free()
    if (address === undefined) {
      this.#drop(lease => this.#isLeftOver(lease))
      address = free()
    }
    if (address === undefined) throw new LeaseRefused({ kind: 'full', set, usage: this.#usage(asked, spans) })
    return address
  }

  #asked(request: LeaseRequest, set: number, address: Address): Address {
    const { network } = request.owner
    const lease = this.#leases.find(one => one.address === address && this.#concerns(one, { ...request, network }))
    if (lease === undefined) return address
    const mayGo = lease.state === 'cooldown' && (this.#isOver(lease) || lease.network === network)
    if (!mayGo && !this.#isLeftOver(lease)) {
      throw new LeaseRefused({ kind: 'taken', set, address, lease: plain(lease) })
    }
    this.#drop(one => one === lease)
    return address
  }

  #again({ owner, onDuplicate, requested, sets }: LeaseRequest, held: readonly PaperLease[]): readonly PaperLease[] {
    const spans = allocatable(sets)
    const same = held.every(one => one.boot === this.#parts.boot && one.namespaceId === owner.namespaceId)
    const fits =
      held.length === sets.length && held.every(({ set, address }, i) => set === i && isIn(spans[i]!, address))
    const asked = requested.every(address => held.some(lease => lease.address === address))
    if (onDuplicate === 'reuse' && same && fits && asked) return held
    throw new LeaseRefused({ kind: 'duplicate', set: held[0]!.set, lease: plain(held[0]!) })
  }

  #usage(asked: Sets, spans: readonly AddressSpan[]): SetUsage {
    const here = this.#leases.filter(
      lease => isIn(spans, lease.address) && this.#concerns(lease, asked) && !this.#isOver(lease),
    )
    const own = here.filter(({ network }) => network === asked.network)
    const assigned = own.filter(({ state }) => state === 'assigned').length
    const gateways = this.#foreignGateways(asked).filter(
      address => isIn(spans, address) && !here.some(lease => lease.address === address),
    )
    const times = here.flatMap(({ until }) => until ?? [])
    const isFull = BigInt(here.length + gateways.length) >= spanSize(spans)
    const old = (lease: Lease) => (lease.boot === this.#parts.boot ? 1 : 0)
    const oldest = here.filter(({ state }) => state === 'assigned').sort((a, b) => old(a) - old(b) || a.at - b.at)
    return {
      ...{ size: spanSize(spans), assigned, cooling: own.length - assigned },
      elsewhere: here.length - own.length + gateways.length,
      ...(times.length > 0 && { freeAt: Math.min(...times) }),
      oldest: isFull ? oldest.slice(0, 5).map(plain) : [],
    }
  }

  #runEnd(asked: Sets, family: Lease['family'], value: bigint): bigint | undefined {
    const taken = new Set([
      ...this.#leases.filter(lease => this.#concerns(lease, asked)).map(({ address }) => address),
      ...this.#foreignGateways(asked),
    ])
    let end = value
    while (taken.has(addressFromNumber(family, end))) end++
    return end === value ? undefined : end - 1n
  }

  #concerns(lease: PaperLease, asked: Sets): boolean {
    return lease.scope === scopeOf(asked) || lease.network === asked.network
  }

  #foreignGateways(asked: Sets): readonly Address[] {
    const others = [...this.#networks].filter(
      ([network, { scope }]) => network !== asked.network && scope === scopeOf(asked),
    )
    return [...new Set(others.flatMap(([, { gateways }]) => gateways))]
  }

  #heldBy({ network, container, ifname }: Holder): readonly PaperLease[] {
    return this.#leases.filter(
      one =>
        one.network === network && one.container === container && one.ifname === ifname && one.state === 'assigned',
    )
  }

  #end(leases: readonly PaperLease[]): readonly Lease[] {
    const at = this.#parts.clock.now()
    this.#drop(one => leases.includes(one))
    const cooling = leases.filter(({ cooldownMs }) => cooldownMs > 0)
    this.#leases = [
      ...this.#leases,
      ...cooling.map(one => ({ ...one, state: 'cooldown' as const, at, until: at + one.cooldownMs })),
    ]
    return leases.map(plain)
  }

  #drop(which: (lease: PaperLease) => boolean): void {
    this.#leases = this.#leases.filter(lease => !which(lease))
  }

  /** Or it began at a time that is yet to come: the clock was set back. */
  #isOver({ until, at }: Lease): boolean {
    const now = this.#parts.clock.now()
    return until !== undefined && (until <= now || at > now + 60_000)
  }

  #isLeftOver(lease: Lease): boolean {
    return lease.state === 'assigned' && isLeftOver(lease, this.#parts)
  }
}

function isIn(spans: readonly AddressSpan[], address: Address): boolean {
  const number = addressNumber(address)
  return spans.some(({ family, first, last }) => family === familyOf(address) && first <= number && number <= last)
}

function plain({ scope: _scope, cooldownMs: _cooldownMs, ...lease }: PaperLease): Lease {
  return lease
}
