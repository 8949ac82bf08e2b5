import * as words from '#dialects/nft.ts'
import { listingOf } from '#dialects/nft-listing.ts'
import { must } from '#system/must.ts'
import { FAMILIES } from '#values/address.ts'
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
    if (entries.length > 0) await must(this.#parts.kernel, words.applyLines(rules.removalLines(entries)))
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

  async #entries(choice: OwnerChoice): Promise<readonly rules.EntryHandle[]> {
    const found: rules.EntryHandle[] = []
    for (const family of FAMILIES) {
      if (this.#parts.hasChain?.({ family, table: rules.TABLE, chain: rules.ENTRY_CHAIN }) === false) continue
      const { stdout } = await this.#parts.kernel.run(
        words.listChainWithHandles(family, rules.TABLE, rules.ENTRY_CHAIN),
      )
      found.push(...rules.entryHandlesOf(stdout, family).filter(({ chain }) => isChosen(chain, choice)))
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
