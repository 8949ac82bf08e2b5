import type { Holder } from '../lease-book.ts'
import { endLease, heldBy, type LeaseRow } from '../records/lease-rows.ts'
import type { ChangeContext } from './context.ts'

// Leases that are no longer needed → addresses that cool down.

export function release(holder: Holder, why: string, { database, now }: ChangeContext): readonly LeaseRow[] {
  const held = heldBy(database, holder)
  for (const lease of held) endLease(database, lease, { at: now, why })
  return held
}

type Attachments = readonly Omit<Holder, 'network'>[]

/** Of a network, those that are not among the valid ones. Leases of a container without an interface are valid with it. */
export function otherHolders(network: string, valid: Attachments, { database }: ChangeContext): readonly Holder[] {
  const [attachments, containers] = [
    new Set(valid.map(({ container, ifname }) => `${container} ${ifname}`)),
    new Set(valid.map(({ container }) => container)),
  ]
  const sql = `SELECT DISTINCT network, container, ifname FROM lease INDEXED BY lease_holder
    WHERE network = ? AND state = 'assigned' ORDER BY container, ifname`
  const holders = database.all(sql, network) as unknown as readonly Holder[]
  return holders.filter(({ container, ifname }) =>
    ifname === '' ? !containers.has(container) : !attachments.has(`${container} ${ifname}`),
  )
}
