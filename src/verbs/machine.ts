import { addressesOf, LIST_ADDRESSES } from '../dialects/ip.ts'
import { readSysctl, TCP_BE_LIBERAL } from '../dialects/sysctl.ts'
import type { Kernel } from '../system/ports.ts'
import { same } from '../values/same.ts'
import type { Machine } from './surroundings.ts'

// What the machine says of itself, kept up to date.

export const NO_MACHINE: Machine = { addresses: { ipv4: [], ipv6: [] }, liberalConntrack: false }

/** A question the machine does not answer is answered as kube-proxy would assume. */
export async function lookAtMachine(kernel: Kernel, known: Machine = NO_MACHINE): Promise<Machine> {
  const [listing, liberal] = await Promise.all([
    kernel.run({ argv: LIST_ADDRESSES }),
    kernel.run({ argv: readSysctl(TCP_BE_LIBERAL) }),
  ])
  const addresses =
    listing.code === 0
      ? { ipv4: addressesOf(listing.stdout, 'ipv4'), ipv6: addressesOf(listing.stdout, 'ipv6') }
      : known.addresses
  const now = { addresses, liberalConntrack: liberal.code === 0 && liberal.stdout.trim() !== '0' }
  return same(now, known) ? known : now
}
