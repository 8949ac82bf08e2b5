import type { NetworkLeases } from '#ipam/leases/lease-view.ts'
import type { PastLease } from '#ipam/leases/records/history-rows.ts'
import { type AddressRow, addressRows } from '#ipam/table/address-rows.ts'
import { type Address, addressNumber, familyOf } from '#values/address.ts'

// An address, and all that is known of it → who has it in each network, and who had it at a time.

export interface AddressQuestion {
  readonly address: Address
  readonly now: number
  /** When it was, if not now. */
  readonly at?: number
}

export interface AddressFacts extends AddressQuestion {
  readonly networks: readonly NetworkLeases[]
  /** The latest first. */
  readonly holders: readonly PastLease[]
  /** What ended before this is no longer known. */
  readonly historyStart?: number
}

export interface AddressPlace {
  readonly network: NetworkLeases
  readonly row: AddressRow
}

/** In every network whose ranges have it, or that has given it. */
export function placesOf({ address, networks }: AddressFacts): readonly AddressPlace[] {
  const [family, number] = [familyOf(address), addressNumber(address)]
  return networks.flatMap(network => {
    const rows = addressRows(network, networks)
    const row = rows.find(one => one.family === family && one.first <= number && number <= one.last)
    return row === undefined ? [] : [{ network, row }]
  })
}

/** Networks that are apart may each have given it. */
export function holdersAt({ holders }: AddressFacts, at: number): readonly PastLease[] {
  return holders.filter(holder => holder.at <= at && (holder.ended === undefined || at < holder.ended))
}
