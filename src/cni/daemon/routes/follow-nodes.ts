import { rangesOfRing } from '#ipam/sources/node-ranges.ts'
import { NoticeLimiter } from '#kubernetes/notices.ts'
import { fresh } from '#kubernetes/stats.ts'
import type { ApiTransport } from '#kubernetes/transport.ts'
import { LIMITS } from '#kubernetes/watch/limits.ts'
import { objectChange } from '#kubernetes/watch/object-change.ts'
import { Recovery } from '#kubernetes/watch/recovery.ts'
import { Reflector } from '#kubernetes/watch/reflector.ts'
import { ALL_NODES } from '#kubernetes/watch/resources.ts'
import { NodeTable } from '#routes/cluster/node-table.ts'
import type { RouteClusterView } from '#routes/cluster/route-node.ts'
import type { Clock } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { logNotices, logObject } from '#telemetry/log/kubernetes.ts'
import { RING_OBJECT, ringStore } from '../ranges/ring-store.ts'
import type { NodeApi } from '../rounds/node-api.ts'
import { followRing } from './follow-ring.ts'

// A watch of all Nodes, and the ring where ranges come from it → the cluster as routes see it.

export interface FollowNodesParts {
  readonly api: NodeApi
  readonly ranges: 'of Nodes' | 'of the ring'
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  readonly log: Log
  readonly signal: AbortSignal
}

export interface FollowedNodes {
  readonly view: RouteClusterView
  /** Resolves when the signal has aborted. */
  readonly ended: Promise<unknown>
}

const CREDENTIALS_AGAIN_MS = 5000

export function followNodes(parts: FollowNodesParts): FollowedNodes {
  const isRing = parts.ranges === 'of the ring'
  const table = new NodeTable(isRing ? 'of another source' : 'of Nodes')
  const tasks = [watchNodes(parts, table), ...(isRing ? [watchRing(parts, table)] : [])]
  return { view: table, ended: Promise.all(tasks) }
}

async function watchNodes(parts: FollowNodesParts, table: NodeTable): Promise<void> {
  const { log, signal } = parts
  const transport = await connected(parts)
  if (transport === undefined) return
  try {
    for await (const event of reflector(parts, transport).events(signal)) {
      logObject(log, event)
      table.apply(event)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function reflector({ clock, random, log }: FollowNodesParts, transport: ApiTransport): Reflector {
  const notices = new NoticeLimiter(logNotices(log, 'routes stay as they are'), clock, LIMITS.noticeEveryMs)
  const [stats, startedAt] = [fresh(), clock.now()]
  const recovery = new Recovery({ clock, random, limits: LIMITS, notices, stats })
  const synced = (objects: number) =>
    notices.notify({ what: 'synced', resource: 'Node', objects, tookMs: Math.round(clock.now() - startedAt) })
  return new Reflector({ resource: ALL_NODES, transport, clock, random, limits: LIMITS, recovery, stats, synced })
}

/** Undefined where the signal aborts before credentials can be used. */
async function connected({ api, clock, log, signal }: FollowNodesParts): Promise<ApiTransport | undefined> {
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    try {
      return await api.transport()
    } catch (error) {
      if (isFirst)
        log.error('Nodes cannot be watched', error, { next: 'routes stay as they are; tried again every 5s' })
    }
    await clock.sleep(CREDENTIALS_AGAIN_MS, signal)
  }
  return undefined
}

async function watchRing(parts: FollowNodesParts, table: NodeTable): Promise<void> {
  const { api, clock, random, log, signal } = parts
  const requests = async () => ({ transport: await api.transport(), clock, random })
  await followRing({
    ...{ clock, random, log, signal },
    store: ringStore(requests),
    watch: async (version, until) => objectChange(await requests(), { ...RING_OBJECT, version }, until),
    give: ring => table.give(rangesOfRing(ring)),
  })
}
