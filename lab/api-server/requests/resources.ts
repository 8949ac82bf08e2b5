// A request path → the resource it speaks of. The table is what this API server serves; discovery is written from it.

export interface Resource {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
  /** `kubectl get all` asks for those of the category `all`. */
  readonly categories: readonly string[]
  /** By the last part of the path. */
  readonly subresources: Readonly<Record<string, Subresource>>
}

/** What is read and written at a path below an object. */
export interface Subresource {
  /** Where it is another kind than the object's. */
  readonly kind?: string
  readonly group?: string
  readonly version?: string
  readonly verbs: readonly string[]
}

const STATUS: Readonly<Record<string, Subresource>> = { status: { verbs: ['get', 'patch', 'update'] } }
const SCALE: Readonly<Record<string, Subresource>> = {
  scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] },
}
const NOTHING_MORE = { shortNames: [], categories: [], subresources: {} } as const

export const NAMESPACES = clusterWide('', 'namespaces', 'Namespace', {
  shortNames: ['ns'],
  subresources: { finalize: { verbs: ['update'] }, ...STATUS },
})

export const PODS = namespaced('', 'pods', 'Pod', {
  shortNames: ['po'],
  categories: ['all'],
  subresources: {
    binding: { kind: 'Binding', verbs: ['create'] },
    eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    exec: { kind: 'PodExecOptions', verbs: ['create', 'get'] },
    log: { verbs: ['get'] },
    ...STATUS,
  },
})

export const SERVICE_CIDRS = clusterWide('networking.k8s.io', 'servicecidrs', 'ServiceCIDR', { subresources: STATUS })
export const IP_ADDRESSES = clusterWide('networking.k8s.io', 'ipaddresses', 'IPAddress', { shortNames: ['ip'] })

export const CORE_EVENTS = namespaced('', 'events', 'Event', { shortNames: ['ev'] })
export const EVENTS = namespaced('events.k8s.io', 'events', 'Event', { shortNames: ['ev'] })

export const RESOURCES: readonly Resource[] = [
  namespaced('', 'configmaps', 'ConfigMap', { shortNames: ['cm'] }),
  namespaced('', 'endpoints', 'Endpoints', { shortNames: ['ep'] }),
  CORE_EVENTS,
  NAMESPACES,
  clusterWide('', 'nodes', 'Node', { shortNames: ['no'], subresources: STATUS }),
  PODS,
  namespaced('', 'secrets', 'Secret'),
  namespaced('', 'serviceaccounts', 'ServiceAccount', { shortNames: ['sa'] }),
  namespaced('', 'services', 'Service', { shortNames: ['svc'], categories: ['all'], subresources: STATUS }),
  namespaced('apps', 'deployments', 'Deployment', {
    shortNames: ['deploy'],
    categories: ['all'],
    subresources: { ...SCALE, ...STATUS },
  }),
  namespaced('apps', 'replicasets', 'ReplicaSet', {
    shortNames: ['rs'],
    categories: ['all'],
    subresources: { ...SCALE, ...STATUS },
  }),
  EVENTS,
  namespaced('coordination.k8s.io', 'leases', 'Lease'),
  namespaced('discovery.k8s.io', 'endpointslices', 'EndpointSlice'),
  IP_ADDRESSES,
  SERVICE_CIDRS,
]

/** What a request path names. */
export interface Target {
  readonly resource: Resource
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
}

export function apiVersion({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`
}

/** The resource of an object; without an apiVersion the first one of that kind. */
export function resourceOf(kind: unknown, version?: unknown): Resource | undefined {
  return RESOURCES.find(it => it.kind === kind && (version === undefined || apiVersion(it) === version))
}

const PATH = /^\/(?:api|apis\/([^/]+))\/(v[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?\/?$/
const NAMESPACE_PART = /^\/api\/v1\/namespaces\/([^/]+)\/(status|finalize)\/?$/

/** `/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/cart-x7` → its resource, namespace and name. */
export function targetOf(path: string): Target | undefined {
  // `status` would be read as the plural of a resource in that namespace.
  const [, owner, part] = NAMESPACE_PART.exec(path) ?? []
  if (owner !== undefined) return { resource: NAMESPACES, name: decodeURIComponent(owner), subresource: part! }
  const match = PATH.exec(path)
  if (match === null) return undefined
  const [, group = '', version, namespace, plural, name, subresource] = match
  const found = RESOURCES.find(it => it.group === group && it.version === version && it.plural === plural)
  if (found === undefined || (namespace !== undefined && !found.namespaced)) return undefined
  return {
    resource: found,
    ...(namespace !== undefined && { namespace: decodeURIComponent(namespace) }),
    ...(name !== undefined && { name: decodeURIComponent(name) }),
    ...(subresource !== undefined && { subresource }),
  }
}

type More = Partial<Pick<Resource, 'shortNames' | 'categories' | 'subresources'>>

function namespaced(group: string, plural: string, kind: string, more: More = {}): Resource {
  return { ...NOTHING_MORE, ...more, group, version: 'v1', plural, kind, namespaced: true }
}

function clusterWide(group: string, plural: string, kind: string, more: More = {}): Resource {
  return { ...NOTHING_MORE, ...more, group, version: 'v1', plural, kind, namespaced: false }
}
