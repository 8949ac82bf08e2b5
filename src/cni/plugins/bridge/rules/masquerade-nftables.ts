import { applyLines, FAMILY_WORDS, listTable } from '#dialects/nft.ts'
import { commentedIn, listChainAsJson, listMap } from '#dialects/nft-comments.ts'
import { listingOf } from '#dialects/nft-listing.ts'
import type { Holder } from '#ipam/leases/lease-book.ts'
import type { AddressWithPrefix } from '#system/network/network.ts'
import { addressFromNumber, FAMILIES, type Family, familyOf } from '#values/address.ts'
import { BackendAbsent, failureOf, listedBy } from '../../backend-absent.ts'
import type { Masquerade, MasqueradeParts } from './masquerade.ts'
import { interfaceTag, networkTag } from './names.ts'
import * as lines from './nftables-lines.ts'

// Masquerade by nftables: an element for each address. Only the first pod of a range needs rules, and with them a process.

export function nftablesMasquerade(parts: MasqueradeParts): Masquerade {
  const write = async (...all: readonly string[]): Promise<void> => {
    if (all.length === 0) return
    const command = applyLines(all)
    const outcome = await parts.kernel.run(command)
    if (outcome.code !== 0) throw failureOf(command, outcome)
  }
  return {
    async add(holder, addresses) {
      if (parts.change?.(addresses.map(one => lines.addition(holder, one)))) return
      const quick = await parts.kernel.run(applyLines(addresses.map(one => lines.creation(holder, one))))
      if (quick.code !== 0) await addSlowly(parts, holder, addresses)
    },

    /** The reference's are looked for where there are none of ours. */
    async remove(holder) {
      const isGone = (comment: string): boolean => comment.startsWith(interfaceTag(holder))
      if (removeAtOnce(parts, isGone)) return true
      const own = await ownDeletions(parts, isGone)
      const all = own.length > 0 ? own : await referenceDeletions(parts, isGone)
      await write(...all)
      return all.length > 0
    },

    async missing(holder, addresses) {
      const found = await Promise.all(FAMILIES.map(family => masqueraded(parts, family, holder)))
      return addresses.filter(({ address }) => !found.flat().includes(address))
    },

    async keepOnly(network, holders) {
      const kept = new Set(holders.map(interfaceTag))
      const [prefix, length] = [networkTag(network), interfaceTag({ network, container: '', ifname: '' }).length]
      const isGone = (comment: string): boolean => comment.startsWith(prefix) && !kept.has(comment.slice(0, length))
      await write(...(await ownDeletions(parts, isGone)), ...(await referenceDeletions(parts, isGone)))
    },
  }
}

/** False where there are none, or where they could not be removed this way. */
function removeAtOnce({ elements, change }: MasqueradeParts, isGone: (comment: string) => boolean): boolean {
  const gone = FAMILIES.flatMap(family => {
    const found = elements?.({ family, table: lines.TABLE, set: lines.MAP }) ?? []
    return found.filter(({ comment = '' }) => isGone(comment)).map(({ key }) => lines.removal(family, key))
  })
  return gone.length > 0 && (change?.(gone) ?? false)
}

/** Another pod may come between the look and the change. */
const TRIES = 4

/** The first pod of a range, and one whose address another had that was never taken back. */
async function addSlowly(
  parts: MasqueradeParts,
  holder: Holder,
  addresses: readonly AddressWithPrefix[],
): Promise<void> {
  const families = FAMILIES.filter(family => addresses.some(({ address }) => familyOf(address) === family))
  for (let tries = 1; ; tries++) {
    const found = await Promise.all(families.map(family => elementsOf(parts, family)))
    const taken = families.flatMap((family, i) =>
      found[i]!.filter(({ key }) => addresses.some(({ address }) => address === key)).map(({ key }) =>
        lines.deletion(family, key),
      ),
    )
    const skeleton = families.flatMap(lines.skeleton)
    const ranges = addresses.flatMap(lines.rangeChain)
    const command = applyLines([...skeleton, ...ranges, ...taken, ...addresses.map(one => lines.creation(holder, one))])
    const outcome = await parts.kernel.run(command)
    if (outcome.code === 0) return
    const failure = failureOf(command, outcome)
    if (failure instanceof BackendAbsent || tries === TRIES) throw failure
  }
}

async function ownDeletions(parts: MasqueradeParts, isGone: (comment: string) => boolean): Promise<readonly string[]> {
  const found = await Promise.all(
    FAMILIES.map(async family => {
      const elements = await elementsOf(parts, family)
      return elements.filter(({ comment }) => isGone(comment)).map(({ key }) => lines.deletion(family, key))
    }),
  )
  return found.flat()
}

/** The reference has a rule for each address, with the comment that we have on an element. */
async function referenceDeletions(
  { kernel }: MasqueradeParts,
  isGone: (comment: string) => boolean,
): Promise<readonly string[]> {
  const { family, table, chain } = lines.REFERENCE
  const command = listChainAsJson(family, table, chain)
  return commentedIn(listedBy(command, await kernel.run(command)) ?? '')
    .rules.filter(({ comment }) => isGone(comment))
    .map(({ handle }) => `delete rule ${family} ${table} ${chain} handle ${handle}`)
}

/** The addresses of an interface that have all they need: an element, the rule that asks for it, and the chain of its range. */
async function masqueraded({ kernel }: MasqueradeParts, family: Family, holder: Holder): Promise<readonly string[]> {
  const outcome = await kernel.run(listTable(family, lines.TABLE))
  if (outcome.code !== 0) return []
  const { chains } = listingOf(outcome.stdout)
  const entry = chains.get(lines.ENTRY_CHAIN) ?? ''
  if (!entry.includes(`${FAMILY_WORDS[family].saddr} vmap @${lines.MAP}`)) return []
  return commentedIn(outcome.stdout)
    .elements.filter(({ comment }) => comment.startsWith(interfaceTag(holder)))
    .filter(({ target }) => (chains.get(target ?? '') ?? '').includes('masquerade'))
    .map(({ key }) => key)
}

/** The addresses that have an element, where a rule asks for it. */
export async function masqueradedByNftables(parts: MasqueradeParts): Promise<readonly string[]> {
  const found = await Promise.all(
    FAMILIES.map(async family => {
      const at = { family, table: lines.TABLE, chain: lines.ENTRY_CHAIN }
      return parts.hasChain?.(at) === false ? [] : (await elementsOf(parts, family)).map(({ key }) => key)
    }),
  )
  return found.flat()
}

interface PodElement {
  readonly key: string
  readonly comment: string
}

/** Of the map of pods; none where there is no map yet. */
async function elementsOf(parts: MasqueradeParts, family: Family): Promise<readonly PodElement[]> {
  const found = parts.elements?.({ family, table: lines.TABLE, set: lines.MAP })
  if (found !== undefined) {
    return found.map(({ key, comment = '' }) => ({ key: addressIn(key, family), comment }))
  }
  const command = listMap(family, lines.TABLE, lines.MAP)
  return commentedIn(listedBy(command, await parts.kernel.run(command)) ?? '').elements
}

function addressIn(key: Buffer, family: Family): string {
  return addressFromNumber(family, BigInt(`0x${key.toString('hex')}`))
}
