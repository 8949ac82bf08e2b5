import type { ApiObject } from '#lab/api-server/store.ts'
import { runningPodSpec } from './pods.ts'
import { type Fields, fieldsOf, listOf, withoutNulls } from './values.ts'
import { deploymentSpec, replicaSetSpec } from './workloads.ts'

// An object as a person writes it → as the real API server stores it, with the defaults of what was left unsaid.

export function withDefaults(object: ApiObject): ApiObject {
  if (object.kind === 'Service') return service(object)
  if (object.kind === 'Pod') return { ...object, spec: runningPodSpec(fieldsOf(object.spec)) }
  if (object.kind === 'Deployment') return { ...object, spec: deploymentSpec(fieldsOf(object.spec)) }
  if (object.kind === 'ReplicaSet') return { ...object, spec: replicaSetSpec(fieldsOf(object.spec)) }
  if (object.kind === 'Secret') return secret(object)
  if (object.kind === 'Namespace') return namespace(object)
  if (object.kind === 'Node') return node(object)
  if (object.kind !== 'EndpointSlice') return object
  return { ...object, ports: listOf(object.ports).map(port => ({ name: '', protocol: 'TCP', ...withoutNulls(port) })) }
}

/** What is written as plain text is stored in Base64, beside the rest. */
function secret({ stringData, ...object }: ApiObject): ApiObject {
  const texts = Object.entries(fieldsOf(stringData)).map(([key, text]) => [key, base64(String(text))])
  const data = { ...fieldsOf(object.data), ...Object.fromEntries(texts) }
  return { ...object, type: object.type ?? 'Opaque', ...(Object.keys(data).length > 0 && { data }) }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

function namespace(object: ApiObject): ApiObject {
  const { name = '', labels } = object.metadata
  const metadata = { ...object.metadata, labels: { ...labels, 'kubernetes.io/metadata.name': name } }
  return {
    ...object,
    metadata,
    // None is left when a controller has emptied it.
    spec: { finalizers: ['kubernetes'], ...fieldsOf(object.spec) },
    status: { phase: 'Active', ...fieldsOf(object.status) },
  }
}

/** The first range stands alone, too, as before there could be two. */
function node(object: ApiObject): ApiObject {
  const { podCIDR, podCIDRs, ...spec } = fieldsOf(object.spec)
  const [first] = listOf(podCIDRs)
  if (first !== undefined) return { ...object, spec: { podCIDR: first, podCIDRs, ...spec } }
  return podCIDR ? { ...object, spec: { podCIDR, podCIDRs: [podCIDR], ...spec } } : object
}

function service(object: ApiObject): ApiObject {
  const status = { loadBalancer: {}, ...fieldsOf(object.status) }
  return { ...object, spec: serviceSpec(fieldsOf(object.spec)), status }
}

function serviceSpec(spec: Fields): Fields {
  const type = spec.type ?? 'ClusterIP'
  const common = { sessionAffinity: 'None', ...spec, type }
  if (type === 'ExternalName') return common
  const affinity = { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } }
  return {
    internalTrafficPolicy: 'Cluster',
    ...(isOutward(type) && { externalTrafficPolicy: 'Cluster' }),
    ...(type === 'LoadBalancer' && { allocateLoadBalancerNodePorts: true }),
    ...(spec.sessionAffinity === 'ClientIP' && affinity),
    ...common,
    ports: ports(spec),
  }
}

/** Cluster IPs and node ports are no defaults: they are allocated after this. */
function ports(spec: Fields): readonly Fields[] {
  return listOf(spec.ports).map(item => {
    const port: Fields = { protocol: 'TCP', ...(item as Fields) }
    return { targetPort: port.port, ...port }
  })
}

function isOutward(type: unknown): boolean {
  return type === 'NodePort' || type === 'LoadBalancer'
}
