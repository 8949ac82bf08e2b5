import { type ListedNode, listedNode } from '#ipam/nodes/adoption.ts'
import type { ClusterRange } from '#ipam/nodes/blocks/cluster-ranges.ts'
import { RangesController } from '#ipam/nodes/ranges-controller.ts'
import { RangesLoop, type RangesLoopLimits } from '#ipam/nodes/ranges-loop.ts'
import type { RecordStore } from '#ipam/nodes/record/record-store.ts'
import type { Event, Source } from '#kubernetes/event.ts'
import { NodePicture } from '#kubernetes/node-picture.ts'
import { setPodCIDRs, uidOfNode } from '#kubernetes/writes/node-cidrs.ts'
import type { TimedRequests } from '#kubernetes/writes/timed-answer.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { logObject } from '#telemetry/log/kubernetes.ts'
import type { RangesReporter } from './reporter.ts'

// The Nodes of a cluster → their podCIDRs, for as long as this process leads. Nothing is written before all Nodes are listed.

export interface LeadParts {
  readonly ranges: readonly ClusterRange[]
  readonly cooldownMs: number
  readonly source: Source
  readonly store: RecordStore
  readonly requests: TimedRequests
  readonly random: () => number
  readonly log: Log
  readonly reporter: Pick<RangesReporter, 'round' | 'failed'>
  readonly limits?: Partial<RangesLoopLimits>
}

/** Resolves when the signal has aborted and the round that was under way is done. */
export async function lead(parts: LeadParts, signal: AbortSignal): Promise<void> {
  const { source, log } = parts
  const picture = new NodePicture(listedNode)
  const loop = loopOver(picture, parts)
  let running: Promise<void> | undefined
  for await (const event of source(signal)) {
    say(log, event)
    const isChange = picture.apply(event)
    if (!picture.isWhole) continue
    if (running === undefined) running = loop.run(signal)
    else if (isChange) loop.changed()
  }
  await running
}

function loopOver(picture: NodePicture<ListedNode>, parts: LeadParts): RangesLoop {
  const { ranges, cooldownMs, store, requests, random, reporter, limits } = parts
  const { clock } = requests
  const controller = new RangesController({
    ...{ ranges, store, clock, random },
    graceMs: cooldownMs,
    nodes: {
      list: async () => picture.list(),
      uidOf: name => uidOfNode(requests, name),
      setPodCIDRs: patch => setPodCIDRs(requests, patch),
    },
  })
  return new RangesLoop({
    ...{ controller, clock, random },
    onReport: report => reporter.round(report),
    onFailure: (error, againMs) => reporter.failed(error, againMs),
    ...(limits !== undefined && { limits }),
  })
}

function say(log: Log, event: Event): void {
  logObject(log, event)
  if (event.type === 'put' && event.object.kind === 'Node' && event.object.uid === '')
    log.warning('Left out a Node whose metadata.uid is missing or no uid', { node: event.object.name })
}
