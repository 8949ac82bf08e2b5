import type { ApiObject } from './objects.ts'

// A kind → where the API server has its objects.

export interface Kind {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
}

/** In the order in which a namespace is emptied: what makes others goes before what is made. */
export const KINDS: readonly Kind[] = [
  kind('apps/v1', 'Deployment', 'deployments'),
  kind('apps/v1', 'ReplicaSet', 'replicasets'),
  kind('v1', 'Service', 'services'),
  kind('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  kind('v1', 'Endpoints', 'endpoints'),
  kind('v1', 'Pod', 'pods'),
  kind('v1', 'ConfigMap', 'configmaps'),
  kind('v1', 'Secret', 'secrets'),
  kind('v1', 'ServiceAccount', 'serviceaccounts'),
  kind('coordination.k8s.io/v1', 'Lease', 'leases'),
  kind('v1', 'Event', 'events'),
  kind('events.k8s.io/v1', 'Event', 'events'),
  { ...kind('v1', 'Node', 'nodes'), namespaced: false },
  { ...kind('v1', 'Namespace', 'namespaces'), namespaced: false },
  { ...kind('networking.k8s.io/v1', 'ServiceCIDR', 'servicecidrs'), namespaced: false },
  { ...kind('networking.k8s.io/v1', 'IPAddress', 'ipaddresses'), namespaced: false },
]

/** `Pod`, or `Event.events.k8s.io`. */
export function kindNamed(name: string): Kind {
  const dot = name.indexOf('.')
  const [kind, group] = dot === -1 ? [name] : [name.slice(0, dot), name.slice(dot + 1)]
  const found = KINDS.find(it => it.kind === kind && (group === undefined || groupOf(it) === group))
  if (found === undefined) throw new Error(`no kind ${name} is known here: must be one of ${KNOWN}`)
  return found
}

/** Undefined where it is not known here. */
export function findKind({ kind, apiVersion }: Pick<ApiObject, 'kind' | 'apiVersion'>): Kind | undefined {
  return KINDS.find(it => it.kind === kind && (apiVersion === undefined || apiVersion === it.apiVersion))
}

export function kindOf({ kind, apiVersion }: ApiObject): Kind {
  const found = findKind({ ...(kind && { kind }), ...(apiVersion && { apiVersion }) })
  if (found === undefined) throw new Error(`no kind ${kind} of ${apiVersion} is known here: must be one of ${KNOWN}`)
  return found
}

/** The path of one object, or of all in a namespace, or of all. */
export function pathTo({ apiVersion, plural, namespaced }: Kind, namespace?: string, name?: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const within = namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${within}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

function groupOf({ apiVersion }: Kind): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}

function kind(apiVersion: string, kind: string, plural: string): Kind {
  return { apiVersion, kind, plural, namespaced: true }
}

/** What `kindNamed` finds it by. */
export function nameOf(it: Kind): string {
  const isFirst = KINDS.find(({ kind }) => kind === it.kind) === it
  return isFirst ? it.kind : `${it.kind}.${groupOf(it)}`
}

const KNOWN = KINDS.map(nameOf).join(', ')
