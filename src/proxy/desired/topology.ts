import type { KnownEndpoint } from '#proxy/cluster/slices.ts'
import type { ThisNode } from './this-node.ts'

// Hints of endpoints → the endpoints near enough for this node. A kind of hint counts only where every ready endpoint
// has it.

export type IsNear = (endpoint: KnownEndpoint) => boolean

const EVERYWHERE: IsNear = () => true

/** Hints for nodes come first, then hints for zones; where neither names this node, traffic goes to all endpoints. */
export function topology(ready: readonly KnownEndpoint[], { nodeName, zone }: ThisNode): IsNear {
  const here: IsNear = ({ forNodes }) => forNodes?.includes(nodeName) ?? false
  if (ready.every(endpoint => endpoint.forNodes !== undefined) && ready.some(here)) return here
  const inZone: IsNear = ({ forZones }) => zone !== undefined && (forZones?.includes(zone) ?? false)
  if (ready.every(endpoint => endpoint.forZones !== undefined) && ready.some(inZone)) return inZone
  return EVERYWHERE
}
