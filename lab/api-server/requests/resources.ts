// A request path → the resource it speaks of. The table is what this API server serves; discovery is written from it.

export interface Resource {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
}

export const NAMESPACES = resource('', 'namespaces', 'Namespace', { namespaced: false, shortNames: ['ns'] })

export const RESOURCES: readonly Resource[] = [
  resource('', 'services', 'Service', { namespaced: true, shortNames: ['svc'] }),
  resource('', 'nodes', 'Node', { namespaced: false, shortNames: ['no'] }),
  resource('', 'events', 'Event', { namespaced: true, shortNames: ['ev'] }),
  NAMESPACES,
  resource('discovery.k8s.io', 'endpointslices', 'EndpointSlice', { namespaced: true, shortNames: [] }),
  resource('events.k8s.io', 'events', 'Event', { namespaced: true, shortNames: ['ev'] }),
  resource('networking.k8s.io', 'servicecidrs', 'ServiceCIDR', { namespaced: false, shortNames: [] }),
]

/** What a request path names. */
export interface Target {
  readonly resource: Resource
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
}

export function apiVersion({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`
}

/** The resource of an object; without an apiVersion the first one of that kind. */
export function resourceOf(kind: unknown, version?: unknown): Resource | undefined {
  return RESOURCES.find(it => it.kind === kind && (version === undefined || apiVersion(it) === version))
}

const PATH = /^\/(?:api|apis\/([^/]+))\/(v[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?\/?$/
const NAMESPACE_STATUS = /^\/api\/v1\/namespaces\/([^/]+)\/(status)\/?$/

/** `/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/cart-x7` → its resource, namespace and name. */
export function targetOf(path: string): Target | undefined {
  // `status` would be read as the plural of a resource in that namespace.
  const [, owner, part] = NAMESPACE_STATUS.exec(path) ?? []
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

function resource(
  group: string,
  plural: string,
  kind: string,
  more: Pick<Resource, 'namespaced' | 'shortNames'>,
): Resource {
  return { group, version: 'v1', plural, kind, ...more }
}
