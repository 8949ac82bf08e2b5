import { targetOf } from '#lab/api-server/requests/resources.ts'
import type { SeenRequest } from '#lab/api-server/server.ts'
import { permission } from './requests.ts'

// Roles of a manifest against requests that were made: `verb group/resource`, in all namespaces or in one.

interface Rule {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
}

export interface RoleObject {
  readonly kind: string
  readonly metadata: { readonly namespace?: string }
  readonly rules?: readonly Rule[]
}

/** `resourceNames` say less than they seem to, so each name is one right: `get /configmaps/ring in kube-system`. */
export function allowedBy(objects: readonly RoleObject[]): readonly string[] {
  const roles = objects.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
  return roles.flatMap(({ kind, metadata, rules = [] }) => {
    const where = kind === 'Role' ? ` in ${metadata.namespace}` : ''
    return rules.flatMap(({ verbs, apiGroups, resources, resourceNames = [undefined] }) =>
      verbs.flatMap(verb =>
        apiGroups.flatMap(group =>
          resources.flatMap(resource =>
            resourceNames.map(name => `${verb} ${group}/${resource}${name === undefined ? '' : `/${name}`}${where}`),
          ),
        ),
      ),
    )
  })
}

export interface Compared {
  /** Requests that no role allows. */
  readonly forbidden: readonly string[]
  /** Rights that no request needed. */
  readonly unused: readonly string[]
}

export function compared(allowed: readonly string[], requests: readonly SeenRequest[]): Compared {
  const used = new Set<string>()
  const forbidden = new Set<string>()
  for (const request of requests) {
    const fitting = rightsFor(request).filter(right => allowed.includes(right))
    for (const right of fitting) used.add(right)
    if (fitting.length === 0) forbidden.add(rightsFor(request).at(-1)!)
  }
  return { forbidden: [...forbidden].sort(), unused: allowed.filter(right => !used.has(right)).sort() }
}

/** All that would allow a request, the narrowest last. */
function rightsFor(request: SeenRequest): readonly string[] {
  const right = permission(request)
  // A list or a watch of one object by its name counts as a request for that object.
  const [, selected] = /^metadata\.name=([^,]+)$/.exec(request.query.fieldSelector ?? '') ?? []
  const { name = selected, namespace } = targetOf(request.path)!
  const named = name === undefined ? [right] : [right, `${right}/${name}`]
  return namespace === undefined ? named : [...named, ...named.map(one => `${one} in ${namespace}`)]
}
