import { listAll } from '#kubernetes/lists.ts'
import type { Node, ObjectKind } from '#kubernetes/objects.ts'
import type { ApiTransport } from '#kubernetes/transport.ts'
import { watchedResources } from '#kubernetes/watch/resources.ts'
import type { Clock } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { clusterOf, eventsOf, type Gathered, podsOf } from './objects.ts'
import type { PlacedPod } from './view.ts'

// An API server → its objects, as they are now. One look, no watch.

export interface ApiLookParts {
  readonly transport: Pick<ApiTransport, 'get'>
  readonly nodeName: string
  readonly clock: Clock
  readonly log: Log
}

const WITHIN_MS = 60_000
const NODES = '/api/v1/nodes'
const PODS = '/api/v1/pods'

export async function gatherFromApi(parts: ApiLookParts): Promise<Gathered> {
  const events = await within(parts.clock, signal => listedEvents(parts, signal))
  return clusterOf(events, parts.nodeName, parts.log)
}

/** Every Node. */
export function nodesFromApi({
  transport,
  clock,
}: Pick<ApiLookParts, 'transport' | 'clock'>): Promise<readonly Node[]> {
  return within(clock, async signal => {
    const items = await listAll(transport, { path: NODES, signal }, item => item)
    if (typeof items === 'number') throw new Error(`the API server answered ${items} to a list of Nodes`)
    return eventsOf('Node', items).flatMap(event =>
      event.type === 'put' && event.object.kind === 'Node' ? [event.object] : [],
    )
  })
}

/** Undefined where the API server does not let us see them. */
export function podsFromApi(parts: Omit<ApiLookParts, 'nodeName'>): Promise<readonly PlacedPod[] | undefined> {
  return within(parts.clock, signal => listedPods(parts, signal))
}

async function listedEvents({ transport, nodeName }: ApiLookParts, signal: AbortSignal) {
  const lists = watchedResources(nodeName, ['ServiceCIDR']).map(async ({ kind, path, labelSelector, refusal }) => {
    // All Nodes, and Services of every kind: routes go to the first, and questions may be about the second.
    const query = labelSelector === undefined ? {} : { labelSelector }
    const items = await listAll(transport, { path: kind === 'Node' ? NODES : path, query, signal }, item => item)
    if (typeof items !== 'number') return eventsOf(kind, items)
    if (refusal === 'means none') return []
    throw new Error(`the API server answered ${items} to a list of ${PLURALS[kind]}${reasonOf(items)}`)
  })
  return (await Promise.all(lists)).flat()
}

async function listedPods(
  { transport, log }: Pick<ApiLookParts, 'transport' | 'log'>,
  signal: AbortSignal,
): Promise<readonly PlacedPod[] | undefined> {
  const items = await listAll(transport, { path: PODS, signal }, item => item)
  if (typeof items !== 'number') return podsOf(items)
  log.warning(`pods are not known: the API server answered ${items} to a list of them${reasonOf(items)}`)
  return undefined
}

const PLURALS: Readonly<Record<ObjectKind, string>> = {
  Service: 'Services',
  EndpointSlice: 'EndpointSlices',
  Node: 'Nodes',
  ServiceCIDR: 'ServiceCIDRs',
}

function reasonOf(status: number): string {
  if (status === 401) return ' (Unauthorized: the credentials are not accepted)'
  return status === 403 ? ' (Forbidden: this user may not list them)' : ''
}

async function within<T>(clock: Clock, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const [over, done] = [new AbortController(), new AbortController()]
  void clock.sleep(WITHIN_MS, done.signal).then(() => over.abort(new Error(`no lists for ${WITHIN_MS / 1000} s`)))
  try {
    return await work(over.signal)
  } finally {
    done.abort()
  }
}
