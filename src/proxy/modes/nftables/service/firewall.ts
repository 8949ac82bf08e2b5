import * as words from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { chainUnit, ownNames } from '#proxy/modes/nftables/names.ts'
import type { Address } from '#values/address.ts'
import { contains } from '#values/cidr.ts'

// Source ranges → the chain that drops packets from all other sources, with endpoints or without.

export function firewall(traffic: ServiceTraffic, node: NodeView): readonly Entry[] {
  const guarded = traffic.frontends.filter(({ sourceRanges }) => sourceRanges !== undefined)
  const ranges = guarded[0]?.sourceRanges
  if (ranges === undefined) return []
  const { saddr } = words.FAMILY_WORDS[node.family]
  const lines = [...ranges.map(words.range), ...ownAddresses(node, guarded)].map(from => rule(saddr, from, 'return'))
  return [{ unit: chainUnit(ownNames(traffic).firewall), text: [...lines, 'drop'].join('\n') }]
}

/** A node inside a range may come with the load balancer's own address as its source. */
function ownAddresses({ nodeIP }: NodeView, guarded: readonly Frontend[]): readonly Address[] {
  const admitted = nodeIP !== undefined && guarded[0]!.sourceRanges!.some(range => contains(range, nodeIP))
  return admitted ? guarded.map(({ ip }) => ip!) : []
}
