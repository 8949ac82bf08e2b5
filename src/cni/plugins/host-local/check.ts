import { CniError } from '#cni/protocol/error.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { rangeOf, rangesText } from '#ipam/ranges/range-bounds.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import type { Address } from '#values/address.ts'
import { LEASE_MISSING } from './codes.ts'
import { lookText } from './usage-text.ts'

// What a container holds, and what its ADD returned → nothing where both agree, or the error of a CHECK.

export interface CheckedLeases {
  /** Of the configuration as it is now: what it gave at the time of the ADD is in the previous result. */
  readonly sets: readonly RangeSet[]
  readonly held: readonly Lease[]
}

/** Each address of ours in the previous result is leased to the container, and each lease of it is in there. */
export function checkLeases(request: CniRequest, { sets, held }: CheckedLeases): void {
  const { container, config } = request
  const missing = (reason: string): CniError =>
    new CniError(
      LEASE_MISSING,
      `host-local: Failed to find address added by container ${container}`,
      `${reason}; ${lookText(config.name)}`,
    )
  if (held.length === 0) throw missing(`no address of network ${config.name} is leased to it and ${request.ifname}`)
  const leased = held.map(({ address }) => address)
  const returned = config.prevResult?.ips.map(({ address }) => address)
  if (returned === undefined) {
    const empty = sets.findIndex(set => !leased.some(address => rangeOf(set, address) !== undefined))
    if (empty >= 0)
      throw missing(`it has no address of range ${empty}, ${rangesText(sets[empty]!)}, but ${listed(leased)}`)
    return
  }
  const ours = returned.filter(address => sets.some(set => rangeOf(set, address) !== undefined))
  const lost = ours.filter(address => !leased.includes(address))
  if (lost.length > 0) throw missing(`prevResult has ${listed(lost)}, leased to it is ${listed(leased)}`)
  const unknown = leased.filter(address => !returned.includes(address))
  if (unknown.length > 0)
    throw missing(`leased to it is ${listed(unknown)}, prevResult has ${listed(returned) || 'no address'}`)
}

function listed(addresses: readonly Address[]): string {
  return addresses.join(', ')
}
