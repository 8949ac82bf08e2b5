import type { Credentials } from '#kubernetes/access/credentials.ts'
import type { Event, Source } from '#kubernetes/event.ts'
import { type ApiNotice, NoticeLimiter } from '#kubernetes/notices.ts'
import type { RequestObserver } from '#kubernetes/request-observer.ts'
import { type ApiStats, type ExtraKind, fresh, freshStats } from '#kubernetes/stats.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import { LIMITS, type WatchLimits } from '#kubernetes/watch/limits.ts'
import { Recovery } from '#kubernetes/watch/recovery.ts'
import { Reflector } from '#kubernetes/watch/reflector.ts'
import { type Resource, watchedResources } from '#kubernetes/watch/resources.ts'
import type { Clock } from '#system/ports.ts'
import { merged } from './merged.ts'

// The API server → one stream of events: its Services, its EndpointSlices and our own Node, or other resources.

export interface ApiSourceOptions extends Omit<WatchSourceOptions, 'resources'> {
  readonly nodeName: string
  /** Watched besides Services, EndpointSlices and our Node. */
  readonly extras?: readonly ExtraKind[]
}

export interface WatchSourceOptions {
  readonly credentials: Credentials
  readonly resources: readonly Resource[]
  readonly clock: Clock
  /** From 0 to 1, as Math.random. */
  readonly random: () => number
  readonly onNotice: (notice: ApiNotice) => void
  /** Filled in while the watches run; health and metrics read it. */
  readonly stats?: ApiStats
  readonly limits?: Partial<WatchLimits>
  readonly userAgent?: string
  /** Called for every request. */
  readonly observer?: RequestObserver
}

/** Never gives up on the API server. When the signal aborts, it ends, with no connection and no timer left. */
export function apiSource({ nodeName, extras, ...options }: ApiSourceOptions): Source {
  return watchSource({ ...options, resources: watchedResources(nodeName, extras) })
}

/** Never gives up either. */
export function watchSource(options: WatchSourceOptions): Source {
  return signal => events(options, signal)
}

async function* events(options: WatchSourceOptions, signal: AbortSignal): AsyncGenerator<Event> {
  if (signal.aborted) return
  const stop = new AbortController()
  const end = () => stop.abort(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  const transport = new ApiTransport(options)
  try {
    const streams = reflectors(options, transport).map(reflector => reflector.events(stop.signal))
    yield* merged(streams, stop)
  } finally {
    signal.removeEventListener('abort', end)
    await transport.close()
  }
}

function reflectors(options: WatchSourceOptions, transport: ApiTransport): readonly Reflector[] {
  const { resources, clock, random, onNotice, stats: allStats = freshStats() } = options
  const limits = { ...LIMITS, ...options.limits }
  const notices = new NoticeLimiter(onNotice, clock, limits.noticeEveryMs)
  const startedAt = clock.now()
  return resources.map(resource => {
    const stats = allStats[resource.kind] ?? fresh()
    const recovery = new Recovery({ clock, random, limits, notices, stats })
    const synced = (objects: number) => {
      notices.notify({ what: 'synced', resource: resource.kind, objects, tookMs: Math.round(clock.now() - startedAt) })
    }
    return new Reflector({ resource, transport, clock, random, limits, recovery, stats, synced })
  })
}
