import { describe, expect, test } from 'vitest'
import { listedNode } from '#ipam/nodes/adoption.ts'
import { clusterRanges } from '#ipam/nodes/blocks/cluster-ranges.ts'
import { RangesController } from '#ipam/nodes/ranges-controller.ts'
import { recordStore } from '#ipam/nodes/record/record-store.ts'
import { decodeAs } from '#kubernetes/decode/decode.ts'
import { NodePicture } from '#kubernetes/node-picture.ts'
import { setPodCIDRs, uidOfNode } from '#kubernetes/writes/node-cidrs.ts'
import { StoredText } from '#kubernetes/writes/stored-text.ts'
import type { TimedRequests } from '#kubernetes/writes/timed-answer.ts'
import { systemClock } from '#system/clock.ts'
import { served } from '../../kubernetes/writes/served.ts'

// A controller that ends between any two of its writes, on an API server over HTTP: the next one finishes what it began.

const NODES = 4
/** The record, the blocks, and each Node. */
const WRITES = NODES + 2

type Served = Awaited<ReturnType<typeof served>>

class Ended extends Error {}

/** Ends at its nth write, before or after it has arrived. */
function ending(requests: TimedRequests, nth: number, when: 'before' | 'after'): TimedRequests {
  let writes = 0
  const { transport } = requests
  const write =
    (send: (post: Parameters<typeof transport.post>[0]) => ReturnType<typeof transport.post>) =>
    async (post: Parameters<typeof transport.post>[0]) => {
      const isLast = ++writes >= nth
      if (writes > nth || (isLast && when === 'before')) throw new Ended()
      const answer = await send(post)
      if (!isLast) return answer
      await answer.body.dump()
      throw new Ended()
    }
  return {
    ...requests,
    transport: {
      get: request => transport.get(request),
      post: write(post => transport.post(post)),
      patch: write(post => transport.patch(post)),
    },
  }
}

function controller({ server }: Served, requests: TimedRequests): RangesController {
  const decoded = clusterRanges({ clusterCidr: '10.244.0.0/22,fd00:10:244::/48' })
  if (!decoded.ok) throw new Error(decoded.problems.join())
  return new RangesController({
    ranges: decoded.ranges,
    graceMs: 60_000,
    store: recordStore(new StoredText({ ...requests, namespace: 'kube-system', name: 'node-ranges', key: 'record' })),
    nodes: {
      list: async () => {
        const picture = new NodePicture(listedNode)
        for (const json of server.store.list('Node')) {
          const decoded = decodeAs('Node', json)
          if (decoded.ok) picture.apply({ type: 'put', object: decoded.object })
        }
        return picture.list()
      },
      uidOf: name => uidOfNode(requests, name),
      setPodCIDRs: patch => setPodCIDRs(requests, patch),
    },
    clock: systemClock,
    random: Math.random,
  })
}

describe('a controller that ends', () => {
  const moments = Array.from({ length: WRITES }, (_, i) => i + 1)
  test.each(moments.flatMap(nth => [[nth, 'before'] as const, [nth, 'after'] as const]))(
    'at write %d, %s it has arrived',
    async (nth, when) => {
      const api = await served()
      try {
        for (let i = 0; i < NODES; i++)
          api.server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: `n${i}` } })
        const first = controller(api, ending(api.requests, nth, when))
        const outcome = await first.round().catch((error: unknown) => error)
        // Up to the record the round fails; a Node that could not be written is one that failed.
        if (nth <= 2) expect(outcome).toBeInstanceOf(Ended)
        else expect(outcome).toMatchObject({ failed: expect.arrayContaining([expect.anything()]) })
        const report = await controller(api, api.requests).round()
        expect(report).toMatchObject({ failed: [], refused: [], findings: [] })
        const given = api.server.store.list('Node').flatMap(({ spec }) => (spec as { podCIDRs: string[] }).podCIDRs)
        expect(new Set(given).size).toBe(2 * NODES)
        expect(report.counts.map(({ used }) => used)).toEqual([NODES, NODES])
      } finally {
        await api.close()
      }
    },
  )
})
