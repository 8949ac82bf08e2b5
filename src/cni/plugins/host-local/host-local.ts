import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import type { CniAddress, CniDns, CniResult } from '#cni/protocol/result.ts'
import { type GrantedRanges, type Lease, type LeaseBook, LeaseRefused } from '#ipam/leases/lease-book.ts'
import { rangeOf, rangesText } from '#ipam/ranges/range-bounds.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { freeOf } from '#ipam/table/fullness.ts'
import { prefixLength } from '#values/cidr.ts'
import { holderOf, ownerOf } from '../owner.ts'
import type { CniPlugin, PluginParts } from '../plugin.ts'
import { checkLeases } from './check.ts'
import { type HostLocalConfig, hostLocalConfig, namesRanges, rangesKnownNow } from './configuration.ts'
import { asLeaseError, asStoreError, noneFreeText, noRangeError } from './refusals.ts'
import { requestedAddresses } from './requested-addresses.ts'
import { resolvConfDns } from './resolv-conf.ts'
import { usageText } from './usage-text.ts'

// A request → one address from each range set of the node, over the lease book.

export const hostLocal: CniPlugin = {
  type: 'host-local',

  /** All that can be wrong with a configuration is found before anything is taken. */
  async add(request, parts) {
    for (let tries = 1; ; tries++) {
      try {
        return await added(request, parts)
      } catch (error) {
        if (!isOutdated(error) || tries === MOST_TRIES) throw await asLeaseError(error, request, { sets: [], parts })
      }
    }
  },

  /** By container and interface alone: a configuration that was changed, or is no longer valid, keeps no address. */
  async del(request, parts) {
    forget(await inBook(parts, book => book.release(holderOf(request), 'DEL')), parts)
  },

  async check(request, parts) {
    const sets = rangesKnownNow(request, await grantedFor(request, parts))?.sets ?? []
    const held = await inBook(parts, book => book.held(holderOf(request)))
    checkLeases(request, { sets, held })
  },

  /** A database that cannot be used serves no ADD, as little as one without a free address. */
  async status(request, parts) {
    const network = request.config.name
    const granted = await grantedFor(request, parts).catch(notAvailable)
    const { sets, overlap } = rangesKnownNow(request, granted) ?? { sets: [], overlap: 'refuse' as const }
    if (granted?.sets.length === 0) throw noRangeError(granted, CODE.notAvailable)
    await inBook(parts, book => book.ready()).catch(notAvailable)
    const usages = await inBook(parts, book => book.usage({ network, sets, overlap })).catch(notAvailable)
    const full = usages.findIndex(usage => freeOf(usage) === 0n)
    if (full < 0) return
    const context = { network, now: parts.clock.now(), boot: await parts.files.bootId() }
    throw new CniError(CODE.notAvailable, noneFreeText(rangesText(sets[full]!)), usageText(usages[full]!, context))
  },

  /** A runtime that gives no list knows of no attachment; only an empty list means that none is valid. */
  async gc({ config }, parts) {
    const valid = config.validAttachments
    if (valid !== undefined) forget(await inBook(parts, book => book.keepOnly(config.name, valid, 'GC')), parts)
  },
}

/** A range may be given away between the look at it and the lease. */
const MOST_TRIES = 5

async function added(request: CniRequest, parts: PluginParts): Promise<CniResult> {
  const granted = await grantedFor(request, parts)
  const config = hostLocalConfig(request, granted)
  if (granted?.sets.length === 0) throw noRangeError(granted, CODE.tryAgainLater)
  const { sets, routes } = config
  const requested = requestedAddresses(request, sets)
  const dns = await dnsOf(config, parts)
  const owner = await ownerOf(request, parts)
  const { onDuplicate, overlap, cooldownMs } = config
  const revision = granted && { revision: granted.revision }
  const leases = await parts
    .leases()
    .then(book => book.take({ owner, sets, ...revision, requested, onDuplicate, overlap, cooldownMs }))
    .catch(async error => {
      throw isOutdated(error) ? error : await asLeaseError(error, request, { sets, parts })
    })
  return { interfaces: [], ips: leases.map(lease => ipOf(lease, sets)), routes, dns }
}

/** Undefined where the configuration names ranges itself, and where no source gives this node any. */
async function grantedFor(request: CniRequest, parts: PluginParts): Promise<GrantedRanges | undefined> {
  return namesRanges(request) ? undefined : inBook(parts, book => book.granted())
}

function isOutdated(error: unknown): boolean {
  return error instanceof LeaseRefused && error.refusal.kind === 'outdated'
}

function notAvailable(error: unknown): never {
  throw error instanceof CniError ? new CniError(CODE.notAvailable, error.message, error.details) : error
}

/** Packets of connections that the last pod began must not reach the next one. */
function forget(released: readonly Lease[], { forgetConnections }: PluginParts): void {
  if (released.length > 0) forgetConnections?.(released.map(({ address }) => address))
}

async function inBook<T>(parts: PluginParts, work: (book: LeaseBook) => Promise<T>): Promise<T> {
  try {
    return await work(await parts.leases())
  } catch (error) {
    throw asStoreError(error)
  }
}

function ipOf({ address, set }: Lease, sets: readonly RangeSet[]): CniAddress {
  const { subnet, gateway } = rangeOf(sets[set]!, address)!
  return { address, prefixLength: prefixLength(subnet), gateway }
}

async function dnsOf({ resolvConf }: HostLocalConfig, { files }: PluginParts): Promise<CniDns> {
  if (resolvConf === undefined) return {}
  const text = await files.read(resolvConf).catch((error: Error) => error)
  if (typeof text === 'string') return resolvConfDns(text)
  const message =
    text === undefined ? `open ${resolvConf}: no such file or directory` : `read ${resolvConf}: ${text.message}`
  const details = `ipam.resolvConf: ${JSON.stringify(resolvConf)}: write the path of a file that is there, or leave it out`
  throw new CniError(CODE.io, message, details)
}
