import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Adopted, adopt } from '#ipam/leases/changes/adopt.ts'
import type { ChangeContext } from '#ipam/leases/changes/context.ts'
import { type NextAddress, nextAddresses } from '#ipam/leases/changes/next-addresses.ts'
import { release } from '#ipam/leases/changes/release.ts'
import { take } from '#ipam/leases/changes/take.ts'
import { usageOf } from '#ipam/leases/changes/usage.ts'
import { Database } from '#ipam/leases/database/database.ts'
import type { AddressFile } from '#ipam/leases/directory/address-file.ts'
import { conflictsIn, keepConflicts } from '#ipam/leases/leaks/conflict-rows.ts'
import { type Lease, LeaseRefused, type LeaseRequest, type SetUsage } from '#ipam/leases/lease-book.ts'
import { leaseRows } from '#ipam/leases/records/lease-rows.ts'
import { registeredScope } from '#ipam/leases/records/range-rows.ts'
import { runFaults } from '#ipam/leases/records/runs.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { type Address, addressFromNumber } from '#values/address.ts'
import { holder, leaseRequest, range } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

// Three networks whose ranges meet, each of which may become apart from the others and come back, with pods, imports and addresses
// that are in use without a lease. A walk is one transaction: no change of it waits for the disk.

export const NETWORKS = ['red', 'blue', 'green'] as const
export type Name = (typeof NETWORKS)[number]

const GATEWAYS: Readonly<Record<Name, Address>> = {
  red: '10.9.0.1' as Address,
  blue: '10.9.0.3' as Address,
  green: '10.9.0.8' as Address,
}
const SETS: Readonly<Record<Name, readonly RangeSet[]>> = {
  red: [[range('10.9.0.0/29 10.9.0.1-10.9.0.6', GATEWAYS.red)]],
  blue: [[range('10.9.0.0/29 10.9.0.1-10.9.0.6', GATEWAYS.blue)]],
  // Two ranges in one set, the later addresses first.
  green: [
    [range('10.9.0.0/28 10.9.0.5-10.9.0.9', GATEWAYS.green), range('10.9.0.0/28 10.9.0.2-10.9.0.3', GATEWAYS.green)],
  ],
}

interface At {
  readonly network: Name
  readonly container: string
  readonly ip: Address
}

export type Kind = 'take' | 'ask' | 'release' | 'turn' | 'import' | 'found' | 'wait'

/** Of each only what its kind needs is looked at. */
export interface Step extends At {
  readonly kind: Kind
}

export function stepOf(
  kind: Kind,
  { network = 'red', container = 'a', ip = '10.9.0.2' as Address }: Partial<At> = {},
): Step {
  return { kind, network, container, ip }
}

const kind = fc.oneof(
  ...(
    [
      ['take', 8],
      ['ask', 4],
      ['release', 6],
      ['turn', 4],
      ['import', 1],
      ['found', 1],
      ['wait', 2],
    ] as const
  ).map(([one, weight]) => ({ weight, arbitrary: fc.constant<Kind>(one) })),
)
export const step: fc.Arbitrary<Step> = fc.record({
  kind,
  network: fc.constantFrom(...NETWORKS),
  container: fc.constantFrom('a', 'b', 'c'),
  ip: fc.integer({ min: 2, max: 9 }).map(n => addressFromNumber('ipv4', 0x0a090000n + BigInt(n))),
})

const COOLDOWN_MS = 1000

export function fileOf(address: Address, container: string, ifname = 'eth0'): AddressFile {
  return { address, container, ifname }
}

export class SharedNetworks {
  readonly #folder = memoryFolder('shared-')
  readonly path = join(this.#folder, 'ipam.db')
  readonly database = Database.open(this.path)
  now = 1_000_000
  readonly #apart = new Set<Name>()
  #pods = 0

  /** On a node that has given nothing yet. */
  walk(work: () => void): void {
    this.#apart.clear()
    this.database.write(() => {
      for (const table of ['lease', 'run', 'range', 'conflict']) this.database.run(`DELETE FROM ${table}`)
      work()
    })
    if (runFaults(this.database).length > 0) throw new Error(runFaults(this.database).join('; '))
  }

  /** What was given. */
  go(one: Step): readonly Lease[] {
    if (one.kind === 'take') return this.take(one.network, one.container)
    if (one.kind === 'ask') return this.take(one.network, one.container, one.ip)
    if (one.kind === 'release') release(holder(one.container, one.network), 'DEL', this.#context())
    else if (one.kind === 'turn') {
      if (!this.#apart.delete(one.network)) this.#apart.add(one.network)
    } else if (one.kind === 'import') this.adopt(one.network, [fileOf(one.ip, `imported-${one.container}`)])
    else if (one.kind === 'found') this.#find(one)
    else this.now += COOLDOWN_MS / 2
    return []
  }

  /** Empty where it is refused. */
  take(network: Name, container: string, wanted?: Address): readonly Lease[] {
    const requested = wanted === undefined || wanted === GATEWAYS[network] ? [] : [wanted]
    const request = this.#request(network, { container, requested })
    try {
      return this.database.attempt(() => take(request, this.#context()))
    } catch (error) {
      if (error instanceof LeaseRefused) return []
      throw error
    }
  }

  /** Pods that come until there is no address left: how many got one. */
  fill(network: Name): number {
    for (let count = 0; ; count++) if (this.take(network, `pod-${this.#pods++}`).length === 0) return count
  }

  /** What host-local's directory of the network has. */
  adopt(network: Name, files: readonly AddressFile[]): Adopted {
    return adopt({ network, content: { files, given: new Map() }, cooldownMs: COOLDOWN_MS }, this.#context())
  }

  /** What `ipam next` says; undefined where it does not know the network as its configuration is now. */
  next(network: Name): NextAddress | undefined {
    const { overlap } = this.#request(network)
    return nextAddresses(this.#context()).find(set => set.network === network && set.overlap === overlap)
  }

  leases(): readonly Lease[] {
    return leaseRows(this.database, '')
  }

  usage(network: Name): SetUsage {
    const { sets, overlap } = this.#request(network)
    return usageOf({ network, sets, overlap }, this.#context())[0]!
  }

  /** Who holds the address, or uses it, in this network or in one that shares addresses with it. */
  usersOf(address: Address, network: Name): readonly string[] {
    const isShared = (other: string) => (registeredScope(this.database, other) ?? '') === ''
    const meets = (other: string) => other === network || (isShared(other) && isShared(network))
    const leases = leaseRows(this.database, "WHERE state = 'assigned'")
    return [...leases, ...conflictsIn(this.database)]
      .filter(one => one.address === address && meets(one.network))
      .map(one => `${one.container} of ${one.network}`)
  }

  /** What the network's configuration says now; what is registered is what it said at its last pod. */
  #request(network: Name, { container = 'any', requested = [] as readonly Address[] } = {}): LeaseRequest {
    const overlap = this.#apart.has(network) ? 'allow' : 'refuse'
    return leaseRequest(container, { network, sets: SETS[network], overlap, requested, cooldownMs: COOLDOWN_MS })
  }

  end(): void {
    this.database.close()
    rmSync(this.#folder, { recursive: true })
  }

  /** An interface of a pod has the address, and the pod has no lease of it. */
  #find({ network, container, ip }: At): void {
    const at = { netns: `/run/netns/${container}`, namespaceId: '4:1', boot: 'b', at: 5 }
    const found = { ...holder(`found-${container}`, network), address: ip, ...at }
    if (this.usersOf(ip, network).length === 0) keepConflicts(this.database, [...conflictsIn(this.database), found])
  }

  #context(): ChangeContext {
    return { database: this.database, now: this.now, boot: 'b', witness: () => undefined }
  }
}
