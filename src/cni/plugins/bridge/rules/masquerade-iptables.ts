import * as words from '#dialects/iptables.ts'
import type { Holder } from '#ipam/leases/lease-book.ts'
import type { AddressWithPrefix } from '#system/network/network.ts'
import type { Command } from '#system/ports.ts'
import { FAMILIES, type Family, familyOf } from '#values/address.ts'
import { BackendAbsent, failureOf } from '../../backend-absent.ts'
import { natListing } from '../../nat-listing.ts'
import { type Jump, jumpsIn, masqueradeLines, removalLines } from './iptables-lines.ts'
import type { Masquerade, MasqueradeParts } from './masquerade.ts'
import { FIRST_INTERFACE, iptablesNetwork, ownChain, referenceChain } from './names.ts'

// Masquerade by iptables: a chain for each interface, one process for each family and change, both at once.

export function iptablesMasquerade(parts: MasqueradeParts): Masquerade {
  return {
    async add(holder, addresses) {
      const done = await inEachFamily(addresses, (family, own) => write(parts, family, masqueradeLines(holder, own)))
      const failed = done.find(({ status }) => status === 'rejected')
      if (failed?.status !== 'rejected') return
      await this.remove(holder, addresses).catch(() => undefined)
      throw failed.reason
    },

    async remove(holder, addresses) {
      const done = await inAllFamilies(family =>
        remove(parts, family, { holder, addresses: ofFamily(addresses, family) }).catch(unlessAbsent),
      )
      return done.includes(true)
    },

    async missing(holder, addresses) {
      const found = await Promise.all(
        FAMILIES.map(family => missing(parts, family, { holder, addresses: ofFamily(addresses, family) })),
      ).catch(unlessAbsent)
      return found === false ? addresses : found.flat()
    },

    async keepOnly(network, holders) {
      const kept = new Set(holders.flatMap(holder => [ownChain(holder), referenceChain(holder)]))
      await inAllFamilies(async family => {
        const jumps = await jumpsOf(parts, family, (target, line) => !kept.has(target) && isOf(line, network))
        if (jumps.length > 0) await write(parts, family, removalLines(jumps, jumps))
      }).catch(unlessAbsent)
    },
  }
}

interface Attached {
  readonly holder: Holder
  readonly addresses: readonly AddressWithPrefix[]
}

/** Our own chain goes without a process where the ruleset is nftables'; all else takes the program that made it. */
async function remove(parts: MasqueradeParts, family: Family, { holder, addresses }: Attached): Promise<boolean> {
  const [chain, shared] = [ownChain(holder), referenceChain(holder)]
  if (hasNone(parts, family, [chain, shared])) return false
  if (removeAtOnce(parts, family, { chain, atMost: chain === shared ? Math.max(1, addresses.length) : undefined }))
    return true
  const jumps = await jumpsOf(parts, family, target => target === chain || target === shared)
  const sources = new Set(addresses.map(({ address }) => address))
  // The reference's chain is that of every interface of the container: its rules go by the addresses of this one. Where these are
  // not known, all of them are the first interface's.
  const isOwn = ({ chain: to, source }: Jump): boolean =>
    to !== shared || (sources.size > 0 ? sources.has(source) : chain === shared)
  const gone = jumps.filter(isOwn)
  if (gone.length > 0) await write(parts, family, removalLines(gone, jumps))
  return gone.length > 0
}

const NFT_FAMILY = { ipv4: 'ip', ipv6: 'ip6' } as const

interface OwnChain {
  readonly chain: string
  /** With more rules that lead to it, some are another interface's. */
  readonly atMost: number | undefined
}

/** After `iptables -F` no rule leads to the chain, and it is there. */
function removeAtOnce(
  { hasChain, jumps, change }: MasqueradeParts,
  family: Family,
  { chain, atMost = Number.POSITIVE_INFINITY }: OwnChain,
): boolean {
  if (hasChain?.({ family, table: 'nat', chain }) !== true) return false
  const entry = { table: 'nat', chain: 'POSTROUTING' }
  const own = jumps?.({ family, ...entry })?.filter(({ target }) => target === chain) ?? []
  if (own.length > atMost) return false
  const [from, at] = [
    { family: NFT_FAMILY[family], ...entry },
    { family: NFT_FAMILY[family], table: 'nat', chain },
  ]
  const rules = own.map(({ handle }) => ({ do: 'delete rule' as const, at: from, handle }))
  return change?.([...rules, { do: 'flush chain', at }, { do: 'delete chain', at }]) ?? false
}

/** Without iptables there are no rules of it. */
function unlessAbsent(error: unknown): false {
  if (error instanceof BackendAbsent) return false
  throw error
}

/** The kernel is asked for each rule: ours, or those that the reference plugin made for this interface. */
async function missing(
  parts: MasqueradeParts,
  family: Family,
  { holder, addresses }: Attached,
): Promise<readonly AddressWithPrefix[]> {
  if (addresses.length === 0) return []
  for (const named of holder.ifname === FIRST_INTERFACE ? [holder] : [holder, { ...holder, ifname: FIRST_INTERFACE }]) {
    const rules = masqueradeLines(named, addresses).filter(line => line.startsWith('-A '))
    const checks = rules.map(line => line.replace(/^-A/, '-C'))
    if ((await parts.kernel.run(document(family, checks))).code === 0) return []
  }
  return addresses
}

/** Asked without a process where that can be. */
function hasNone({ hasChain }: MasqueradeParts, family: Family, chains: readonly string[]): boolean {
  return hasChain !== undefined && !chains.some(chain => hasChain({ family, table: 'nat', chain }))
}

async function jumpsOf(
  { kernel }: MasqueradeParts,
  family: Family,
  isWanted: (chain: string, line: string) => boolean,
): Promise<readonly Jump[]> {
  const { command, outcome } = await natListing(kernel, family, 'POSTROUTING')
  if (outcome.code !== 0) throw failureOf(command, outcome)
  return jumpsIn(outcome.stdout).filter(({ chain, line }) => isWanted(chain, line))
}

function isOf(line: string, network: string): boolean {
  return line.includes(`--comment "${iptablesNetwork(network)}`)
}

async function write({ kernel }: MasqueradeParts, family: Family, lines: readonly string[]): Promise<void> {
  const command = document(family, lines)
  const outcome = await kernel.run(command)
  if (outcome.code !== 0) throw failureOf(command, outcome)
}

/** A runtime gives up on a pod sooner than this. */
const PATIENCE_MS = 60_000

function document(family: Family, lines: readonly string[]): Command {
  return { ...words.restoreInto(toolsOf(family), words.block('nat', lines)), timeoutMs: PATIENCE_MS }
}

/** The plain names: what this node means by iptables. */
function toolsOf(family: Family): words.Tools {
  return words.plainlyNamed(family, 'nft')
}

function ofFamily(addresses: readonly AddressWithPrefix[], family: Family): readonly AddressWithPrefix[] {
  return addresses.filter(({ address }) => familyOf(address) === family)
}

/** Of each family that has addresses; waits for all of them, so that what is taken back then has been made. */
function inEachFamily(
  addresses: readonly AddressWithPrefix[],
  change: (family: Family, own: readonly AddressWithPrefix[]) => Promise<void>,
): Promise<readonly PromiseSettledResult<void>[]> {
  const families = FAMILIES.filter(family => ofFamily(addresses, family).length > 0)
  return Promise.allSettled(families.map(family => change(family, ofFamily(addresses, family))))
}

async function inAllFamilies<T>(change: (family: Family) => Promise<T>): Promise<readonly T[]> {
  const done = await Promise.allSettled(FAMILIES.map(change))
  return done.map(one => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
}
