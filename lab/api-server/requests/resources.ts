// A request path → the resource it speaks of. The table is what this API server serves; discovery is written from it.

export interface Resource {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
}

export const RESOURCES: readonly Resource[] = [
  resource('', 'services', 'Service', { namespaced: true, shortNames: ['svc'] }),
  resource('', 'nodes', 'Node', { namespaced: false, shortNames: ['no'] }),
  resource('', 'events', 'Event', { namespaced: true, shortNames: ['ev'] }),
  resource('discovery.k8s.io', 'endpointslices', 'EndpointSlice', { namespaced: true, shortNames: [] }),
  resource('events.k8s.io', 'events', 'Event', { namespaced: true, shortNames: ['ev'] }),
  resource('networking.k8s.io', 'servicecidrs', 'ServiceCIDR', { namespaced: false, shortNames: [] }),
]

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

/** `/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/cart-x7` → its resource, namespace and name. */
export function targetOf(path: string): Target | undefined {
  const match =
    /^\/(?:api|apis\/([^/]+))\/(v[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?\/?$/.exec(path)
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

/** The document at a discovery path (`/api`, `/apis`, `/apis/GROUP`, `/apis/GROUP/VERSION`), or nothing. */
export function discovery(path: string): object | undefined {
  const groups = [...new Set(RESOURCES.map(it => it.group))]
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }
  if (path === '/apis') {
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter(group => group !== '').map(apiGroup) }
  }
  const match = /^\/(?:api|apis\/([^/]+))(?:\/(v[^/]+))?$/.exec(path)
  const group = match?.[1] ?? ''
  if (match === null || !groups.includes(group)) return undefined
  if (match[2] === undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) }
  const served = RESOURCES.filter(it => it.group === group && it.version === match[2])
  return served.length === 0 ? undefined : resourceList(served)
}

function resource(
  group: string,
  plural: string,
  kind: string,
  more: Pick<Resource, 'namespaced' | 'shortNames'>,
): Resource {
  return { group, version: 'v1', plural, kind, ...more }
}

function apiGroup(name: string): object {
  const version = { groupVersion: `${name}/v1`, version: 'v1' }
  return { name, versions: [version], preferredVersion: version }
}

function resourceList(served: readonly Resource[]): object {
  const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']
  const resources = served.map(({ plural, kind, namespaced, shortNames }) => {
    const optional = shortNames.length > 0 ? { shortNames } : {}
    return { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs, ...optional }
  })
  const statuses = served
    .filter(({ kind }) => kind === 'Service' || kind === 'Node')
    .map(({ plural, kind, namespaced }) => {
      return { name: `${plural}/status`, singularName: '', namespaced, kind, verbs: ['get', 'patch', 'update'] }
    })
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersion(served[0]!),
    resources: [...resources, ...statuses],
  }
}
