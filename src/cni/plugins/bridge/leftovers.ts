import type { Holder } from '#ipam/leases/lease-book.ts'
import type { AddressWithPrefix } from '#system/network/network.ts'
import { BackendAbsent } from '../backend-absent.ts'
import { forgetRules } from '../kept-rules.ts'
import type { PluginParts } from '../plugin.ts'
import { takePort } from './links/ports.ts'
import { everyMasquerade } from './rules/choice.ts'
import type { MasqueradeParts } from './rules/masquerade.ts'
import { spoofCheck } from './rules/spoof-check.ts'

// An attachment whose pod and configuration are gone → without rules, whichever back end has them, and without a port, where
// one is left.

export async function removeLeftOvers(
  holder: Holder,
  addresses: readonly AddressWithPrefix[],
  parts: MasqueradeParts & Pick<PluginParts, 'networks' | 'rules'>,
): Promise<void> {
  await forgetRules(holder, 'masquerade', parts)
  const done = await Promise.allSettled([
    ...everyMasquerade(parts).map(masquerade => masquerade.remove(holder, addresses)),
    spoofCheck(parts.kernel).remove(holder),
    takePort(parts.networks, holder),
  ])
  const failed = done.find(one => one.status === 'rejected' && !(one.reason instanceof BackendAbsent))
  if (failed?.status === 'rejected') throw failed.reason
}
