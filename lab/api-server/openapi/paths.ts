import { apiVersion, type Resource } from '../requests/resources.ts'
import { type Dialect, gvk, type Schema } from './schemas.ts'

// Resources → the paths of an OpenAPI document: which kind is at which path, and what can be done there.

const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  post: ['dryRun', 'fieldManager', 'fieldValidation'],
  put: ['dryRun', 'fieldManager', 'fieldValidation'],
  patch: ['dryRun', 'fieldManager', 'fieldValidation', 'force'],
  delete: ['dryRun', 'gracePeriodSeconds', 'propagationPolicy'],
  get: [],
}

export function pathsOf(resources: readonly Resource[], dialect: Dialect): Readonly<Record<string, Schema>> {
  return Object.fromEntries(
    resources.flatMap(resource => {
      const all = collectionPath(resource)
      return [
        [all, operations(resource, ['get', 'post', 'delete'], dialect)],
        [`${all}/{name}`, operations(resource, ['get', 'put', 'patch', 'delete'], dialect)],
      ]
    }),
  )
}

function collectionPath(resource: Resource): string {
  const root = resource.group === '' ? '/api' : '/apis'
  const namespace = resource.namespaced ? '/namespaces/{namespace}' : ''
  return `${root}/${apiVersion(resource)}${namespace}/${resource.plural}`
}

function operations(resource: Resource, methods: readonly string[], dialect: Dialect): Schema {
  return Object.fromEntries(methods.map(method => [method, operation(resource, method, dialect)]))
}

function operation(resource: Resource, method: string, { version }: Dialect): Schema {
  const types = method === 'patch' ? PATCHES : method === 'get' || method === 'delete' ? [] : ['application/json']
  const body =
    version === 'v2'
      ? { consumes: types.length > 0 ? types : ['*/*'] }
      : { requestBody: { content: Object.fromEntries(types.map(type => [type, { schema: { type: 'object' } }])) } }
  return {
    ...(types.length > 0 || version === 'v2' ? body : {}),
    parameters: (OPTIONS[method] ?? []).map(name => parameter(name, version)),
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': method,
    'x-kubernetes-group-version-kind': gvk(resource),
  }
}

function parameter(name: string, version: 'v2' | 'v3'): Schema {
  const where = { name, in: 'query' }
  return version === 'v2' ? { ...where, type: 'string' } : { ...where, schema: { type: 'string' } }
}
