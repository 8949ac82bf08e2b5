import type { ApiObject } from '#lab/api-server/store.ts'
import { Refused } from '../answers.ts'

// An object as a person writes it → as the real API server stores it, with what was left unsaid: defaults, and free
// addresses and node ports.

type Fields = Readonly<Record<string, unknown>>

/** 10.96.0.0/16 and 30000-32767, less the low parts, which stay free for those who choose for themselves. */
const FIRST_ADDRESS = 256
const LAST_ADDRESS = 65_534
const FIRST_NODE_PORT = 30_086
const LAST_NODE_PORT = 32_767

export interface Neighbours {
  /** The object as it was, if it was there. */
  readonly before: ApiObject | undefined
  /** All others of its kind. */
  readonly others: readonly ApiObject[]
}

export function withDefaults(object: ApiObject, neighbours: Neighbours): ApiObject {
  if (object.kind === 'Service') return { ...object, spec: serviceSpec(fieldsOf(object.spec), neighbours) }
  if (object.kind === 'Namespace') return namespace(object)
  if (object.kind !== 'EndpointSlice') return object
  return { ...object, ports: listOf(object.ports).map(port => ({ name: '', protocol: 'TCP', ...withoutNulls(port) })) }
}

function namespace(object: ApiObject): ApiObject {
  const { name = '', labels } = object.metadata
  const metadata = { ...object.metadata, labels: { ...labels, 'kubernetes.io/metadata.name': name } }
  return {
    ...object,
    metadata,
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active', ...fieldsOf(object.status) },
  }
}

function serviceSpec(spec: Fields, neighbours: Neighbours): Fields {
  const type = spec.type ?? 'ClusterIP'
  const common = { sessionAffinity: 'None', ...spec, type }
  if (type === 'ExternalName') return common
  const affinity = { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } }
  return {
    internalTrafficPolicy: 'Cluster',
    ...(isOutward(type) && { externalTrafficPolicy: 'Cluster' }),
    ...(spec.sessionAffinity === 'ClientIP' && affinity),
    ...common,
    ...addresses(spec, neighbours),
    ports: ports(spec, neighbours),
  }
}

/** What had an address keeps it; a headless Service has none. */
function addresses(spec: Fields, { before, others }: Neighbours): Fields {
  const asked = spec.clusterIP || fieldsOf(before?.spec).clusterIP
  const taken = new Set(others.map(other => fieldsOf(other.spec).clusterIP))
  if (asked === 'None') return { clusterIP: 'None', clusterIPs: ['None'] }
  if (asked !== undefined && taken.has(asked)) {
    throw new Refused(
      422,
      `spec.clusterIPs: Invalid value: ${JSON.stringify([asked])}: provided IP is already allocated`,
    )
  }
  const clusterIP = asked ?? address(firstFree(FIRST_ADDRESS, LAST_ADDRESS, n => taken.has(address(n))))
  const family = String(clusterIP).includes(':') ? 'IPv6' : 'IPv4'
  const listed = listOf(spec.clusterIPs)
  return {
    ipFamilies: [family],
    ipFamilyPolicy: 'SingleStack',
    ...(spec.ipFamilies !== undefined && { ipFamilies: spec.ipFamilies }),
    clusterIP,
    clusterIPs: listed.length > 0 ? listed : [clusterIP],
  }
}

function ports(spec: Fields, { before, others }: Neighbours): readonly Fields[] {
  const all = [spec, fieldsOf(before?.spec), ...others.map(other => fieldsOf(other.spec))]
  const taken = new Set(all.flatMap(nodePorts))
  const known = listOf(fieldsOf(before?.spec).ports).map(fieldsOf)
  return listOf(spec.ports).map(item => {
    const port: Fields = { protocol: 'TCP', ...(item as Fields) }
    const full = { targetPort: port.port, ...port }
    if (!isOutward(spec.type) || port.nodePort) return full
    const had = known.find(it => it.port === port.port && it.protocol === port.protocol)?.nodePort
    const nodePort = had || firstFree(FIRST_NODE_PORT, LAST_NODE_PORT, n => taken.has(n))
    taken.add(nodePort)
    return { ...full, nodePort }
  })
}

function isOutward(type: unknown): boolean {
  return type === 'NodePort' || type === 'LoadBalancer'
}

function nodePorts(spec: Fields): unknown[] {
  return listOf(spec.ports).map(port => fieldsOf(port).nodePort)
}

function firstFree(first: number, last: number, isTaken: (n: number) => boolean): number {
  for (let n = first; n <= last; n++) if (!isTaken(n)) return n
  throw new Refused(500, 'the range is full: nothing is left to give out')
}

function address(n: number): string {
  return `10.96.${n >> 8}.${n & 255}`
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function withoutNulls(value: unknown): Fields {
  return Object.fromEntries(Object.entries(fieldsOf(value)).filter(([, it]) => it !== null))
}
