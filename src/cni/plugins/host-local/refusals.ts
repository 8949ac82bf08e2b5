import { type CniCode, CniError, CODE } from '#cni/protocol/error.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import { type GrantedRanges, type LeaseRefusal, LeaseRefused, type SetUsage } from '#ipam/leases/lease-book.ts'
import { LeaseStoreFailed } from '#ipam/leases/store-failed.ts'
import { rangesText } from '#ipam/ranges/range-bounds.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import type { PluginParts } from '../plugin.ts'
import { ADDRESS_HELD } from './codes.ts'
import { leaseText, lookText, type UsageContext, usageText } from './usage-text.ts'

// Why there is no lease → the error that a runtime gets: the sentence of the reference plugin, and details that help.

/** What a failure of the lease book means. Anything else passes through as it is. */
export async function asLeaseError(
  error: unknown,
  request: CniRequest,
  { sets, parts }: { readonly sets: readonly RangeSet[]; readonly parts: PluginParts },
): Promise<unknown> {
  if (!(error instanceof LeaseRefused)) return asStoreError(error)
  const { refusal } = error
  const boot = await parts.files.bootId()
  const context = { network: request.config.name, now: parts.clock.now(), boot }
  const { code, message, details } = refused(refusal, context, rangesText(sets[refusal.set] ?? []))
  return new CniError(code, `failed to allocate for range ${refusal.set}: ${message}`, details)
}

/** While the database cannot be used, nothing is given and nothing is given back. */
export function asStoreError(error: unknown): unknown {
  if (!(error instanceof LeaseStoreFailed)) return error
  return new CniError(error.fault === 'busy' ? CODE.tryAgainLater : CODE.io, error.message, error.details)
}

export function noneFreeText(ranges: string): string {
  return `no IP addresses available in range set: ${ranges}`
}

/** Of a network that gives the ranges of the node, while the node has none. */
export function noRangeError({ why }: GrantedRanges, code: CniCode): CniError {
  return new CniError(code, 'this node has no range of addresses for pods', why)
}

function refused(refusal: LeaseRefusal, context: UsageContext, ranges: string): CniError {
  switch (refusal.kind) {
    case 'outdated':
      return new CniError(CODE.tryAgainLater, 'the ranges of this node have changed several times just now')
    case 'full': {
      return new CniError(fullCode(refusal.usage), noneFreeText(ranges), usageText(refusal.usage, context))
    }
    case 'taken': {
      const { address, lease } = refusal
      const state = lease.state === 'cooldown' ? 'cools down after' : 'is leased in'
      const details = `${address} ${state} network ${lease.network}: ${leaseText(lease, context)}; ${lookText(lease.network)}`
      const message = `requested IP address ${address} is not available in range set ${ranges}`
      return new CniError(ADDRESS_HELD, message, details)
    }
    case 'duplicate': {
      const { address, container } = refusal.lease
      const details = `${leaseText(refusal.lease, context)}; a DEL gives it back, "onDuplicate": "reuse" in ipam returns it again`
      const message = `${address} has been allocated to ${container}, duplicate allocation is not allowed`
      return new CniError(ADDRESS_HELD, message, details)
    }
  }
}

/** Only time is missing where some cool down; where none does, a pod must end first. */
function fullCode({ size, cooling }: SetUsage): CniCode {
  if (size === 0n) return CODE.config
  return cooling > 0 ? CODE.tryAgainLater : CODE.notAvailable
}
