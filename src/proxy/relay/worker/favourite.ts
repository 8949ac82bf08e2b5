import type { PoolEndpoint } from '#proxy/relay/messages.ts'

// A client that no worker knows and some endpoints → one of them, the same in every worker: two connections of one client
// that reach two workers at the same time find the same endpoint before either worker's message reaches the other.

/** Each endpoint is the favourite of as many clients; where one comes or goes, no others change places. */
export function favourite(client: string, endpoints: readonly PoolEndpoint[]): PoolEndpoint {
  const seed = mixed(client, 0x811c9dc5)
  let best = endpoints[0]!
  let highest = -1
  for (const endpoint of endpoints) {
    const weight = spread(mixed(endpoint.text, seed))
    if (weight <= highest) continue
    highest = weight
    best = endpoint
  }
  return best
}

/** FNV-1a. */
function mixed(text: string, seed: number): number {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

/** FNV leaves the last characters in the low bits; this carries every bit everywhere (the finish of MurmurHash3). */
function spread(hash: number): number {
  let bits = hash
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
