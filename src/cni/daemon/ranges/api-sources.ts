import type { RingInit } from '#ipam/ring/division.ts'
import { nodeSource } from '#ipam/sources/node-source.ts'
import type { RangeSource, RangesMemory } from '#ipam/sources/range-source.ts'
import { RingSource } from '#ipam/sources/ring-source.ts'
import { countNodes, readNode } from '#kubernetes/node-reads.ts'
import { uidOfNode } from '#kubernetes/writes/node-cidrs.ts'
import type { Clock } from '#system/ports.ts'
import type { NodeApi } from '../rounds/node-api.ts'
import type { RangeShares } from './range-shares.ts'
import { ringStore } from './ring-store.ts'

// The API server → the source that the settings name.

export interface ApiSourceParts {
  readonly shares: Exclude<RangeShares, { readonly from: 'config' }>
  readonly api: NodeApi
  readonly memory: RangesMemory
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
}

export function sourceFromApi({ shares, api, memory, clock, random }: ApiSourceParts): RangeSource {
  const { nodeName } = api
  const requests = async () => ({ transport: await api.transport(), clock })
  if (shares.from !== 'ring') {
    return nodeSource({ nodeName, memory, read: async () => readNode(await requests(), nodeName) })
  }
  const { range, subnet, init } = shares
  return new RingSource({
    ...{ nodeName, memory, range, subnet, clock, random },
    store: ringStore(requests),
    uidOf: async name => uidOfNode(await requests(), name),
    init: async (): Promise<RingInit> => {
      if (init.mode !== 'consensus') return init
      return { mode: 'consensus', peers: init.peers ?? (await countNodes(await requests())) }
    },
  })
}
