import { decodeAs, nameIn } from '#kubernetes/decode/decode.ts'
import { decodePlacedPod } from '#kubernetes/decode/placed-pod.ts'
import { type Event, putOf } from '#kubernetes/event.ts'
import type { Node, ObjectKind } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { PlacedPod } from './view.ts'

// Events and JSON of objects → the cluster of one node, all Nodes, and pods.

/** Objects that cannot be used are left out, with a warning for each problem. */
export function clusterOf(events: readonly Event[], nodeName: string, log: Log): Gathered {
  const cluster = new Cluster()
  const nodes: Node[] = []
  for (const event of events) {
    warn(log, event)
    if (event.type === 'put' && event.object.kind === 'Node') nodes.push(event.object)
    else cluster.apply(event)
  }
  const own = ownNode(nodes, nodeName)
  if (own !== undefined) cluster.apply({ type: 'put', object: own })
  return { cluster, nodes }
}

export interface Gathered {
  readonly cluster: Cluster
  readonly nodes: readonly Node[]
}

/** The only one, if there is one alone: a file with one Node is about that. */
function ownNode(nodes: readonly Node[], nodeName: string): Node | undefined {
  return nodes.find(({ name }) => name === nodeName) ?? (nodes.length === 1 ? nodes[0] : undefined)
}

/** As a watch would have delivered it. */
export function eventsOf(kind: ObjectKind, items: readonly unknown[]): readonly Event[] {
  return items.flatMap((item): readonly Event[] => {
    const decoded = decodeAs(kind, item)
    const { problems } = decoded
    const wrong: readonly Event[] =
      problems.length === 0 ? [] : [{ type: 'problem', kind, name: nameIn(decoded), problems }]
    return decoded.ok ? [...wrong, putOf(decoded.object, decoded.warnings)] : wrong
  })
}

/** What has no name of its own is left out. */
export function podsOf(items: readonly unknown[]): readonly PlacedPod[] {
  return items.flatMap(item => decodePlacedPod(item) ?? [])
}

function warn(log: Log, event: Event): void {
  if (event.type === 'problem') {
    for (const problem of event.problems) log.warning(`${event.kind} ${event.name}: ${problem} (left out)`)
  }
  if (event.type === 'put') {
    for (const warning of event.warnings ?? []) log.warning(`${event.object.kind} ${event.object.name}: ${warning}`)
  }
}
