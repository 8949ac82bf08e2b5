import * as words from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { chainUnit, ownNames } from '#proxy/modes/nftables/names.ts'
import type { Family } from '#values/address.ts'

// Source ranges → the chain that drops packets from all other sources, with endpoints or without.

export function firewall(traffic: ServiceTraffic, family: Family): readonly Entry[] {
  const guarded = traffic.frontends.find(({ sourceRanges }) => sourceRanges !== undefined)
  if (guarded?.sourceRanges === undefined) return []
  const { sourceRanges, sourceAddresses = [] } = guarded
  const { saddr } = words.FAMILY_WORDS[family]
  const lines = [...sourceRanges.map(words.range), ...sourceAddresses].map(from => rule(saddr, from, 'return'))
  return [{ unit: chainUnit(ownNames(traffic).firewall), text: [...lines, 'drop'].join('\n') }]
}
