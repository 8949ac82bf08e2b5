import { apiVersion, RESOURCES, type Resource } from './resources.ts'

// What this API server serves → the discovery documents, from which kubectl knows which paths there are.

const HAS_STATUS: ReadonlySet<string> = new Set(['Service', 'Node', 'Namespace'])

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

function apiGroup(name: string): object {
  const version = { groupVersion: `${name}/v1`, version: 'v1' }
  return { name, versions: [version], preferredVersion: version }
}

function resourceList(served: readonly Resource[]): object {
  const resources = served.map(resource => {
    const { plural, kind, namespaced, shortNames } = resource
    const optional = shortNames.length > 0 ? { shortNames } : {}
    return { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs: verbsOf(resource), ...optional }
  })
  const statuses = served
    .filter(({ kind }) => HAS_STATUS.has(kind))
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

/** Namespaces go one by one only, as with the real server. */
function verbsOf({ kind }: Resource): readonly string[] {
  const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
  return kind === 'Namespace' ? verbs.filter(verb => verb !== 'deletecollection') : verbs
}
