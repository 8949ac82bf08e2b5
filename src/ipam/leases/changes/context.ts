import type { Database } from '../database/database.ts'
import type { Lease, LeaseRequest } from '../lease-book.ts'

// What every change of leases happens with: the database, inside of a transaction, and the moment.

export interface ChangeContext {
  readonly database: Database
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Of this start of the machine; empty where it does not say. */
  readonly boot: string
  readonly witness: NamespaceWitness
}

/** Which network namespace is at a path now, e.g. `4:4026532281`; undefined where none is, `unseen` where that cannot be said. */
export type NamespaceWitness = (path: string) => string | undefined

/** All networks of the node share one scope; one that may overlap with others has its own. */
export function scopeOf({ network, overlap }: Pick<LeaseRequest, 'overlap'> & { readonly network: string }): string {
  return overlap === 'allow' ? network : ''
}

/**
 * Namespaces end with the machine, and the runtime does not send a DEL for each. A lease of an earlier boot is left over,
 * unless the very namespace is still there: then the boot id has changed, and not the machine.
 */
export function isLeftOver(
  { boot, netns, namespaceId }: Lease,
  { boot: current, witness }: Pick<ChangeContext, 'boot' | 'witness'>,
): boolean {
  if (boot === '' || current === '' || boot === current) return false
  const there = netns === undefined ? undefined : witness(netns)
  if (there === 'unseen') return false
  return there === undefined || (namespaceId !== undefined && there !== namespaceId)
}

export const LEFT_OVER = 'the machine has started anew'
