import type { MergeRule } from '../requests/merging/merge-rules.ts'
import type { Resource } from '../requests/resources.ts'
import { mergeRules, modelName, reachable } from './kinds.ts'
import type { FieldType, Model } from './models.ts'

// Models → the schemas of an OpenAPI document, with the extensions that kubectl reads.

export type Schema = Readonly<Record<string, unknown>>

/** Both versions say the same of a type, and refer to it from different places. */
export interface Dialect {
  readonly version: 'v2' | 'v3'
  readonly prefix: '#/definitions/' | '#/components/schemas/'
}

export const V2: Dialect = { version: 'v2', prefix: '#/definitions/' }
export const V3: Dialect = { version: 'v3', prefix: '#/components/schemas/' }

export function schemasOf(resources: readonly Resource[], dialect: Dialect): Readonly<Record<string, Schema>> {
  const roots = new Map(resources.map(resource => [modelName(resource), resource]))
  const models = [...reachable(resources).values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const schemas = models.map(model => [definitionName(model.name), schemaOf(model, roots, dialect)])
  return Object.fromEntries([...schemas, [INT_OR_STRING, intOrString(dialect)]])
}

const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'

function intOrString({ version }: Dialect): Schema {
  const format = 'int-or-string'
  return version === 'v2' ? { type: 'string', format } : { format, oneOf: [{ type: 'integer' }, { type: 'string' }] }
}

function schemaOf(model: Model, roots: ReadonlyMap<string, Resource>, dialect: Dialect): Schema {
  const root = roots.get(model.name)
  const required = [...model.fields].filter(([, field]) => field.required).map(([name]) => name)
  const properties = [...model.fields].map(([name, { type, description }]) => {
    const rule = mergeRules().get(`${model.name}.${name}`)
    return [name, { ...described(typeSchema(type, dialect), description), ...extensions(rule) }]
  })
  return {
    description: model.description,
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(properties),
    ...(root !== undefined && { 'x-kubernetes-group-version-kind': [gvk(root)] }),
  }
}

export function gvk({ group, version, kind }: Pick<Resource, 'group' | 'version' | 'kind'>): Schema {
  return { group, kind, version }
}

/** `V1PodSpec` → `io.k8s.v1.PodSpec`: kubectl shows what comes after the last dot. */
export function definitionName(model: string): string {
  const [, room = '', version = '', name = model] = /^([A-Za-z]*?)(V\d+(?:(?:alpha|beta)\d+)?)(.*)$/.exec(model) ?? []
  return ['io.k8s', room.toLowerCase(), version.toLowerCase(), name].filter(part => part !== '').join('.')
}

function described(schema: Schema, description: string): Schema {
  // In version 3, nothing may stand beside a reference.
  const whole = '$ref' in schema && !schema.$ref?.toString().startsWith('#/definitions/') ? { allOf: [schema] } : schema
  return description === '' ? whole : { description, ...whole }
}

function typeSchema(type: FieldType, dialect: Dialect): Schema {
  switch (type.is) {
    case 'string':
    case 'boolean':
      return { type: type.is }
    case 'time':
      return { type: 'string', format: 'date-time' }
    case 'any':
      return { type: 'object' }
    case 'int-or-string':
      return { $ref: `${dialect.prefix}${INT_OR_STRING}` }
    case 'number':
      return { type: type.format.startsWith('int') ? 'integer' : 'number', ...(type.format && { format: type.format }) }
    case 'list':
      return { type: 'array', items: typeSchema(type.of, dialect) }
    case 'map':
      return { type: 'object', additionalProperties: typeSchema(type.of, dialect) }
    case 'model':
      return { $ref: `${dialect.prefix}${definitionName(type.name)}` }
  }
}

function extensions(rule: MergeRule | undefined): Schema {
  const { type, patch } = rule ?? {}
  return {
    ...(type?.as === 'keyed' && { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': type.keys }),
    ...(type?.as === 'set' && { 'x-kubernetes-list-type': 'set' }),
    ...(patch && { 'x-kubernetes-patch-strategy': patch.strategy }),
    ...(patch?.key && { 'x-kubernetes-patch-merge-key': patch.key }),
  }
}
