import type { KnownEndpoint } from '#proxy/cluster/slices.ts'
import type { ThisNode } from './this-node.ts'

// Hints → which endpoints are near enough. Only ready endpoints are asked, and a hint missing anywhere ends the matter.

export type Near = (endpoint: KnownEndpoint) => boolean

const EVERYWHERE: Near = () => true

/** The node's own hints first, then its zone's; where neither names us, traffic goes everywhere. */
export function nearness(ready: readonly KnownEndpoint[], { nodeName, zone }: ThisNode): Near {
  const here: Near = ({ forNodes }) => forNodes?.includes(nodeName) ?? false
  if (ready.every(endpoint => endpoint.forNodes !== undefined) && ready.some(here)) return here
  const inZone: Near = ({ forZones }) => zone !== undefined && (forZones?.includes(zone) ?? false)
  if (ready.every(endpoint => endpoint.forZones !== undefined) && ready.some(inZone)) return inZone
  return EVERYWHERE
}
