import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Lease, LeaseRefused } from '#ipam/leases/lease-book.ts'
import { readHolders, readLeases, readNext } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import type { Address } from '#values/address.ts'
import { holder, leaseRequest, range, SMALL, SMALL6 } from '../../support/leases.ts'
import { memoryFolder } from '../../support/memory-folder.ts'

// Whatever is asked for, in whatever order, across restarts: the leases are a set of addresses with a holder each.

const COOLDOWN_MS = 1000
const SETS = {
  small: [SMALL],
  both: [SMALL, SMALL6],
  several: [[range('10.9.0.0/29 10.9.0.4-10.9.0.6'), range('10.9.1.0/29 10.9.1.1-10.9.1.6')]],
} as const
const NETWORKS = { mynet: 'small', other: 'several', dual: 'both' } as const

type Network = keyof typeof NETWORKS
type Step =
  | { readonly kind: 'take' | 'release'; readonly container: string; readonly network: Network }
  | { readonly kind: 'keep'; readonly containers: readonly string[]; readonly network: Network }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'restart' | 'reboot' }

const container = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const network = fc.constantFrom<Network>('mynet', 'other', 'dual')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('take' as const), container, network }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('release' as const), container, network }) },
  fc.record({ kind: fc.constant('keep' as const), containers: fc.subarray(['a', 'b', 'c', 'd']), network }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 500, 1000) }),
  fc.record({ kind: fc.constantFrom('restart' as const, 'reboot' as const) }),
)

/** Who has an address, or until when it cools down. */
type Model = Map<Address, { readonly lease: Lease } | { readonly until: number }>

class Walk {
  readonly #folder = memoryFolder('leases-')
  readonly #clock = new PaperClock(1_000_000)
  readonly #model: Model = new Map()
  #boot = 1
  #book = this.#open()

  async go(one: Step): Promise<void> {
    if (one.kind === 'wait') await this.#clock.advance(one.ms)
    else if (one.kind === 'take') await this.#take(one.network, one.container)
    else if (one.kind === 'release') this.#released(await this.#book.release(holder(one.container, one.network), 'DEL'))
    else if (one.kind === 'keep') await this.#keep(one.network, one.containers)
    else await this.#restart(one.kind)
    this.#compare()
  }

  end(): void {
    this.#book.verify()
    this.#book.close()
    rmSync(this.#folder, { recursive: true })
  }

  #open(): SqliteLeaseBook {
    const path = join(this.#folder, 'ipam.db')
    return SqliteLeaseBook.open({ path, clock: this.#clock, boot: `boot-${this.#boot}`, witness: () => undefined })
  }

  async #take(network: Network, container: string): Promise<void> {
    const sets = SETS[NETWORKS[network]]
    const had = this.#assigned().some(lease => lease.network === network && lease.container === container)
    const request = leaseRequest(container, { network, sets, cooldownMs: COOLDOWN_MS })
    const next = this.#next(network)
    try {
      const leases = await this.#book.take(request)
      expect(had).toBe(false)
      if (next.length > 0) expect(leases.map(({ address }) => address)).toEqual(next)
      expect(leases.map(({ set }) => set)).toEqual(sets.map((_, set) => set))
      for (const lease of leases) {
        expect(this.#isTaken(lease.address), lease.address).toBe(false)
        this.#model.set(lease.address, { lease })
      }
    } catch (error) {
      if (!(error instanceof LeaseRefused)) throw error
      expect(error.refusal.kind).toBe(had ? 'duplicate' : 'full')
      if (!had && next.length > 0) expect(next[error.refusal.set]).toBeUndefined()
      // Nothing the set could give is free. The gateways of both networks are 10.9.0.1 and 10.9.1.1.
      if (!had) expect(addressesOf(network, error.refusal.set).filter(one => !this.#isTaken(one))).toEqual([])
    }
  }

  async #keep(network: Network, containers: readonly string[]): Promise<void> {
    const ended = await this.#book.keepOnly(
      network,
      containers.map(name => holder(name)),
      'GC',
    )
    this.#released(ended)
    const left = this.#assigned().filter(lease => lease.network === network)
    expect(left.filter(lease => !containers.includes(lease.container))).toEqual([])
  }

  /** Of each set; empty where nothing is known of the network yet. */
  #next(network: Network): readonly (Address | undefined)[] {
    const moment = { path: join(this.#folder, 'ipam.db'), now: this.#clock.now(), boot: `boot-${this.#boot}` }
    const all = readNext({ ...moment, witness: () => undefined })!
    return all.filter(set => set.network === network).map(({ address }) => address)
  }

  #released(leases: readonly Lease[]): void {
    for (const lease of leases) {
      expect(this.#model.get(lease.address)).toEqual({ lease })
      this.#model.set(lease.address, { until: this.#clock.now() + COOLDOWN_MS })
    }
  }

  async #restart(kind: 'restart' | 'reboot'): Promise<void> {
    this.#book.close()
    if (kind === 'reboot') this.#boot++
    this.#book = this.#open()
    const gone = await this.#book.releaseLeftOvers()
    const expected = kind === 'reboot' ? this.#assigned() : []
    expect(byAddress(gone)).toEqual(byAddress(expected))
    for (const { address } of gone) this.#model.delete(address)
  }

  /** What another process sees. */
  #compare(): void {
    const networks = readLeases(join(this.#folder, 'ipam.db'), this.#clock.now())!
    const leases = networks.flatMap(one => one.leases)
    expect(byAddress(leases.filter(({ state }) => state === 'assigned'))).toEqual(byAddress(this.#assigned()))
    const cooling = [...this.#model].filter(([, one]) => 'until' in one && one.until > this.#clock.now())
    expect(
      leases
        .filter(({ state }) => state === 'cooldown')
        .map(({ address }) => address)
        .sort(),
    ).toEqual(cooling.map(([address]) => address).sort())
  }

  #assigned(): readonly Lease[] {
    return [...this.#model.values()].flatMap(one => ('lease' in one ? [one.lease] : []))
  }

  #isTaken(address: Address): boolean {
    const one = this.#model.get(address)
    return one !== undefined && ('lease' in one || one.until > this.#clock.now())
  }
}

function addressesOf(network: Network, set: number): readonly Address[] {
  const [v4, v6] = [(last: string) => `10.9.${last}` as Address, (last: number) => `fd00:9::${last}` as Address]
  if (NETWORKS[network] === 'several') return ['0.4', '0.5', '0.6', '1.2', '1.3', '1.4', '1.5', '1.6'].map(v4)
  return set === 1 ? [2, 3, 4, 5, 6, 7].map(v6) : ['0.2', '0.3', '0.4', '0.5', '0.6'].map(v4)
}

function byAddress(leases: readonly Lease[]): readonly Lease[] {
  return leases.toSorted((a, b) => (a.address < b.address ? -1 : 1))
}

test('leases are a set: no address has two holders, none is lost, none is refused while one is free, and which comes next is known', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async steps => {
      const walk = new Walk()
      for (const one of steps) await walk.go(one)
      walk.end()
    }),
    { numRuns: 100 },
  )
}, 300_000)

test('which pod had an address at a time is known afterwards', async () => {
  const folder = memoryFolder('leases-')
  const path = join(folder, 'ipam.db')
  const clock = new PaperClock(1000)
  const book = SqliteLeaseBook.open({ path, clock, boot: 'b' })
  for (const name of ['a', 'b']) {
    await book.take(leaseRequest(name, { pod: `shop/${name}`, requested: ['10.9.0.4' as Address] }))
    await clock.advance(500)
    if (name === 'a') await book.release(holder(name), 'DEL')
    await clock.advance(500)
  }
  const holders = readHolders(path, '10.9.0.4' as Address)!
  expect(holders.map(({ pod, at, ended, why }) => [pod, at, ended, why])).toEqual([
    ['shop/b', 2000, undefined, undefined],
    ['shop/a', 1000, 1500, 'DEL'],
  ])
  book.close()
  rmSync(folder, { recursive: true })
})
