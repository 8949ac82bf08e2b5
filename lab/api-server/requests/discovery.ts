import type { Form } from './negotiation.ts'
import { apiVersion, RESOURCES, type Resource, type Subresource } from './resources.ts'

// What this API server serves → the discovery documents, from which kubectl knows which paths, verbs and short names there are.

export interface Discovered {
  readonly document: object
  readonly contentType: string
}

/** The document at a discovery path (`/api`, `/apis`, `/apis/GROUP`, `/apis/GROUP/VERSION`), or nothing. */
export function discovery(path: string, form: Form): Discovered | undefined {
  if (form.as === 'APIGroupDiscoveryList' && (path === '/api' || path === '/apis')) {
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${form.version};as=${form.as}`
    return { document: aggregated(path, form.version), contentType }
  }
  const document = singleDocument(path)
  return document && { document, contentType: 'application/json' }
}

function singleDocument(path: string): object | undefined {
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }
  if (path === '/apis') {
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: namedGroups().map(apiGroup) }
  }
  const match = /^\/(?:api|apis\/([^/]+))(?:\/(v[^/]+))?$/.exec(path)
  const group = match?.[1] ?? ''
  if (match === null || !groups().includes(group)) return undefined
  if (match[2] === undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) }
  const served = RESOURCES.filter(it => it.group === group && it.version === match[2])
  return served.length === 0 ? undefined : resourceList(served)
}

/** In the order of the table. */
function groups(): readonly string[] {
  return [...new Set(RESOURCES.map(it => it.group))]
}

function namedGroups(): readonly string[] {
  return groups().filter(group => group !== '')
}

function apiGroup(name: string): object {
  const version = { groupVersion: `${name}/v1`, version: 'v1' }
  return { name, versions: [version], preferredVersion: version }
}

function resourceList(served: readonly Resource[]): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersion(served[0]!),
    resources: served.flatMap(resource => [apiResource(resource), ...subresourcesOf(resource)]),
  }
}

function apiResource(resource: Resource): object {
  const { plural, kind, namespaced, shortNames, categories } = resource
  return {
    ...{ name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs: verbsOf(resource) },
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  }
}

function subresourcesOf({ plural, kind, namespaced, subresources }: Resource): readonly object[] {
  return Object.entries(subresources).map(([part, { kind: own = kind, group, version, verbs }]) => ({
    ...{ name: `${plural}/${part}`, singularName: '', namespaced },
    ...(group !== undefined && { group, version }),
    ...{ kind: own, verbs },
  }))
}

/** Namespaces go one by one only, as with the real server. */
function verbsOf({ kind }: Resource): readonly string[] {
  const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
  return kind === 'Namespace' ? verbs.filter(verb => verb !== 'deletecollection') : verbs
}

/** All groups with all their resources, in one answer instead of one for each group. */
function aggregated(path: '/api' | '/apis', version: 'v2' | 'v2beta1'): object {
  const names = path === '/api' ? [''] : namedGroups()
  const items = names.map(name => {
    const resources = RESOURCES.filter(it => it.group === name).map(aggregatedResource)
    return {
      metadata: { ...(name !== '' && { name }), creationTimestamp: null },
      versions: [{ version: 'v1', resources, freshness: 'Current' }],
    }
  })
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items }
}

function aggregatedResource(resource: Resource): object {
  const { group, version, plural, kind, namespaced, shortNames, categories, subresources } = resource
  const below = Object.entries(subresources).map(([subresource, part]) => ({
    subresource,
    responseKind: responseKind(resource, part),
    verbs: part.verbs,
  }))
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.toLowerCase(),
    verbs: verbsOf(resource),
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(below.length > 0 && { subresources: below }),
  }
}

function responseKind(resource: Resource, { group, version, kind }: Subresource): object {
  return {
    group: group ?? resource.group,
    version: version ?? resource.version,
    kind: kind ?? resource.kind,
  }
}
