import { removeLeftOvers } from '#cni/plugins/bridge/leftovers.ts'
import { endRecord } from '#cni/plugins/dhcp/ended.ts'
import type { PluginParts } from '#cni/plugins/plugin.ts'
import { unmapAll } from '#cni/plugins/portmap/portmap.ts'
import type { LeakBook } from '#ipam/leases/leaks/leak-book.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import type { Address } from '#values/address.ts'
import type { RoundAttachment } from './round.ts'

// A leaked attachment → nothing of it is left on the node. The lease goes last: where a step before it fails, the next round
// finds the attachment again.

export interface TakeBackParts extends Omit<PluginParts, 'delegates' | 'leases'> {
  readonly book: LeakBook
}

export interface TakenBack {
  readonly attachment: RoundAttachment
  /** `changed`: the holder has been given something else meanwhile, and all of it stays. */
  readonly outcome: 'freed' | 'changed' | 'failed'
  readonly addresses: readonly Address[]
  readonly error?: unknown
}

/** `why` is for the history. */
export async function takeBack(
  attachment: RoundAttachment & { readonly why?: string },
  parts: TakeBackParts,
): Promise<TakenBack> {
  const { holder, leases, granted, verdict, why = `leaked: ${verdict.why}` } = attachment
  const addresses = leases.map(({ address }) => address)
  const book = await parts.dhcpLeases?.()
  const isSame = async (): Promise<boolean> =>
    granted === undefined
      ? parts.book.areHeld(leases)
      : JSON.stringify(await book?.held(holder)) === JSON.stringify(granted)
  try {
    if (!(await isSame())) return { attachment, outcome: 'changed', addresses: [] }
    await removeLeftOvers(holder, leases.map(hostAddress), parts)
    await unmapAll(holder, parts)
    if (granted !== undefined) await endRecord(granted, parts)
    else if ((await parts.book.releaseHeld(leases, why)).length === 0)
      return { attachment, outcome: 'changed', addresses: [] }
    parts.forgetConnections?.(addresses)
    return { attachment, outcome: 'freed', addresses }
  } catch (error) {
    return { attachment, outcome: 'failed', addresses: [], error }
  }
}

/** Rules are found by the address; how long its prefix was, only the pod knew. */
function hostAddress({ address, family }: Lease) {
  return { address, prefixLength: family === 'ipv4' ? 32 : 128 }
}
