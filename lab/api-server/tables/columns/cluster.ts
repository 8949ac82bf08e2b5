import type {
  CoreV1Event,
  EventsV1Event,
  V1ConfigMap,
  V1Lease,
  V1Namespace,
  V1Node,
  V1Secret,
  V1ServiceAccount,
} from '@kubernetes/client-node'
import { type Ago, type Column, columns, NONE, UNKNOWN } from './column.ts'

// Nodes, namespaces, what they hold, and what happened → columns.

const NODE = columns<V1Node>(
  [
    { name: 'Status', description: 'Whether the node is ready, and whether pods may come to it.', cell: nodeStatus },
    { name: 'Roles', description: 'Roles of the node, by its labels.', cell: nodeRoles },
  ],
  [
    { name: 'Internal-IP', description: 'Address inside of the cluster.', cell: addressOf('InternalIP') },
    { name: 'External-IP', description: 'Address outside of the cluster.', cell: addressOf('ExternalIP') },
    { name: 'OS-Image', description: 'Operating system.', cell: it => it.status?.nodeInfo?.osImage || UNKNOWN },
    { name: 'Kernel-Version', description: 'Kernel.', cell: it => it.status?.nodeInfo?.kernelVersion || UNKNOWN },
    {
      name: 'Container-Runtime',
      description: 'What runs the containers, and its version.',
      cell: it => it.status?.nodeInfo?.containerRuntimeVersion || UNKNOWN,
    },
  ],
)

const NODE_VERSION: Column<V1Node> = {
  name: 'Version',
  description: 'Version of the kubelet.',
  cell: ({ status }) => status?.nodeInfo?.kubeletVersion ?? '',
}

/** Unlike others, a node shows its age before its version. */
function nodeColumns(): readonly Column<never>[] {
  const at = NODE.findIndex(({ name }) => name === 'Age') + 1
  return NODE.toSpliced(at, 0, NODE_VERSION)
}

const NAMESPACE = columns<V1Namespace>([
  { name: 'Status', description: 'Active, or about to go.', cell: ({ status }) => status?.phase ?? '' },
])

const CONFIG_MAP = columns<V1ConfigMap>([
  {
    name: 'Data',
    description: 'Number of entries.',
    cell: it => sizeOf(it.data) + sizeOf(it.binaryData),
  },
])

const SECRET = columns<V1Secret>([
  { name: 'Type', description: 'What the secret is for.', cell: ({ type }) => type ?? '' },
  { name: 'Data', description: 'Number of entries.', cell: ({ data }) => sizeOf(data) },
])

const SERVICE_ACCOUNT = columns<V1ServiceAccount>([
  { name: 'Secrets', description: 'Number of secrets.', cell: ({ secrets = [] }) => secrets.length },
])

const LEASE = columns<V1Lease>([
  { name: 'Holder', description: 'Who holds the lease.', cell: ({ spec }) => spec?.holderIdentity ?? '' },
])

/** Of both APIs: the newer one has other names for the same fields. */
type AnyEvent = Partial<CoreV1Event & EventsV1Event>

const EVENT: readonly Column<AnyEvent>[] = [
  { name: 'Last Seen', description: 'Time since it last happened.', cell: lastSeen },
  { name: 'Type', description: 'Normal or Warning.', cell: ({ type }) => type ?? '' },
  { name: 'Reason', description: 'Why it happened, in one word.', cell: ({ reason }) => reason ?? '' },
  { name: 'Object', description: 'What it happened to.', cell: objectOf },
  wide({ name: 'Subobject', description: 'The part it happened to.', cell: it => subjectOf(it)?.fieldPath ?? '' }),
  wide({ name: 'Source', description: 'Who reported it.', cell: sourceOf }),
  { name: 'Message', description: 'What happened.', cell: it => (it.message ?? it.note ?? '').trim() },
  wide({ name: 'First Seen', description: 'Time since it first happened.', cell: firstSeen }),
  wide({ name: 'Count', description: 'How often it happened.', cell: countOf }),
  wide({ name: 'Name', description: 'Name of the event.', format: 'name', cell: it => it.metadata?.name ?? '' }),
]

export const CLUSTER_COLUMNS: Readonly<Record<string, readonly Column<never>[]>> = {
  Node: nodeColumns(),
  Namespace: NAMESPACE,
  ConfigMap: CONFIG_MAP,
  Secret: SECRET,
  ServiceAccount: SERVICE_ACCOUNT,
  Lease: LEASE,
  Event: EVENT,
}

function nodeStatus({ spec, status }: V1Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word
}

const ROLE = 'node-role.kubernetes.io/'

function nodeRoles({ metadata }: V1Node): string {
  const roles = Object.entries(metadata?.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(ROLE) && key.length > ROLE.length) return [key.slice(ROLE.length)]
    return key === 'kubernetes.io/role' && value !== '' ? [value] : []
  })
  return roles.length === 0 ? NONE : [...new Set(roles)].sort().join(',')
}

function addressOf(wanted: 'InternalIP' | 'ExternalIP'): (node: V1Node) => string {
  return ({ status }) => status?.addresses?.find(({ type }) => type === wanted)?.address ?? NONE
}

function sizeOf(entries: object | undefined): number {
  return Object.keys(entries ?? {}).length
}

function wide(column: Column<AnyEvent>): Column<AnyEvent> {
  return { ...column, priority: 1 }
}

function firstSeen({ firstTimestamp, deprecatedFirstTimestamp, eventTime }: AnyEvent, ago: Ago): string {
  return ago(firstTimestamp ?? deprecatedFirstTimestamp ?? eventTime)
}

function lastSeen(event: AnyEvent, ago: Ago): string {
  const last = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.deprecatedLastTimestamp
  return last === undefined || last === null ? firstSeen(event, ago) : ago(last)
}

function countOf({ series, count, deprecatedCount }: AnyEvent): number {
  return series?.count ?? (count || deprecatedCount || 1)
}

function subjectOf({ involvedObject, regarding }: AnyEvent): AnyEvent['regarding'] {
  return involvedObject ?? regarding
}

function objectOf(event: AnyEvent): string {
  const { kind = '', name = '' } = subjectOf(event) ?? {}
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`
}

function sourceOf({ source, deprecatedSource, ...event }: AnyEvent): string {
  const { component = '', host = '' } = source ?? deprecatedSource ?? {}
  const name = component || event.reportingComponent || event.reportingController || ''
  const where = host || event.reportingInstance || ''
  return where === '' ? name : `${name}, ${where}`
}
