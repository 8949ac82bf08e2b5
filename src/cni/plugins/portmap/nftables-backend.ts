import * as words from '#dialects/nft.ts'
import { listingOf } from '#dialects/nft-listing.ts'
import { must } from '#system/must.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import { listedBy } from '../backend-absent.ts'
import type { PluginParts } from '../plugin.ts'
import type { MappedPort, Mapping, MappingBackend, OwnerChoice } from './backend.ts'
import * as rules from './nftables-rules.ts'

// Mappings → nftables, one transaction for both families.

export type NftablesParts = Pick<PluginParts, 'kernel' | 'hasChain'>

export class NftablesBackend implements MappingBackend {
  readonly #parts: NftablesParts

  constructor(parts: NftablesParts) {
    this.#parts = parts
  }

  async map(mapping: Mapping): Promise<void> {
    const { targets, owner, config } = mapping
    if (targets.length === 0) return
    const before = await this.#entries(mapping)
    const lines = targets.flatMap(target => [
      ...rules.sharedLines(target.family, config),
      ...rules.mappingLines(target, owner, config),
    ])
    await must(this.#parts.kernel, words.applyLines([...rules.removalLines(before), ...lines]))
  }

  async unmap(choice: OwnerChoice): Promise<readonly MappedPort[]> {
    const entries = await this.#entries(choice)
    const lines = [...rules.removalLines(entries), ...(await this.#leftChains(choice, entries))]
    if (lines.length > 0) await must(this.#parts.kernel, words.applyLines(lines))
    return entries
  }

  async missing(mapping: Mapping): Promise<readonly string[]> {
    const found: string[] = []
    for (const family of new Set(mapping.targets.map(target => target.family))) {
      const listing = await this.#parts.kernel.run(words.listTable(family, rules.TABLE))
      if (listing.code !== 0) found.push(`there is no table ${words.FAMILY_WORDS[family].ip} ${rules.TABLE}`)
      else found.push(...rules.missingIn(listingOf(listing.stdout), mapping, family))
    }
    return found
  }

  /** Chains to which nothing leads, because what led there was flushed. */
  async #leftChains(choice: OwnerChoice, entries: readonly rules.EntryHandle[]): Promise<readonly string[]> {
    if (!('owner' in choice)) return []
    const chain = rules.chainOf(choice.owner)
    const lines: string[] = []
    for (const family of FAMILIES) {
      const isLedTo = entries.some(entry => entry.family === family)
      if (!isLedTo && (await this.#isThere(family, chain))) lines.push(...rules.chainRemoval(family, chain))
    }
    return lines
  }

  async #isThere(family: Family, chain: string): Promise<boolean> {
    const { kernel, hasChain } = this.#parts
    if (hasChain?.({ family, table: rules.TABLE, chain }) === false) return false
    const command = words.listChainWithHandles(family, rules.TABLE, chain)
    return listedBy(command, await kernel.run(command)) !== undefined
  }

  async #entries(choice: OwnerChoice): Promise<readonly rules.EntryHandle[]> {
    const found: rules.EntryHandle[] = []
    for (const family of FAMILIES) {
      if (this.#parts.hasChain?.({ family, table: rules.TABLE, chain: rules.ENTRY_CHAIN }) === false) continue
      const command = words.listChainWithHandles(family, rules.TABLE, rules.ENTRY_CHAIN)
      const listing = listedBy(command, await this.#parts.kernel.run(command)) ?? ''
      found.push(...rules.entryHandlesOf(listing, family).filter(({ chain }) => isChosen(chain, choice)))
    }
    return found
  }
}

function isChosen(chain: string, choice: OwnerChoice): boolean {
  if ('owner' in choice) return chain === rules.chainOf(choice.owner)
  return (
    chain.startsWith(rules.chainPrefix(choice.network)) && !choice.except.some(owner => chain === rules.chainOf(owner))
  )
}
