import { type MergeRule, mergeRule } from '../requests/merging/merge-rules.ts'
import { RESOURCES, type Resource } from '../requests/resources.ts'
import { type FieldType, type Model, modelOf } from './models.ts'

// Kinds that are served → the models of their types, and every model that they are made of; each field with how it merges.

/** Kinds of two groups have a name of their own in the package. */
const MODEL_NAMES: Readonly<Record<string, string>> = {
  'v1 Event': 'CoreV1Event',
  'events.k8s.io/v1 Event': 'EventsV1Event',
}

export function modelName({ group, version, kind }: Pick<Resource, 'group' | 'version' | 'kind'>): string {
  const groupVersion = group === '' ? version : `${group}/${version}`
  return MODEL_NAMES[`${groupVersion} ${kind}`] ?? `V1${kind}`
}

/** The models of these resources and of what they hold, by name. */
export function reachable(resources: readonly Resource[]): ReadonlyMap<string, Model> {
  const found = new Map<string, Model>()
  const open = resources.map(modelName)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue
    const model = modelOf(name)
    found.set(name, model)
    for (const { type } of model.fields.values()) {
      const inner = innermost(type)
      if (inner.is === 'model') open.push(inner.name)
    }
  }
  return found
}

/** By `MODEL.field`: paths of all kinds lead to the same types, and so to the same rules. */
export function mergeRules(): ReadonlyMap<string, MergeRule> {
  rules ??= new Map(RESOURCES.flatMap(resource => rulesBelow(resource.kind, modelName(resource), '', [])))
  return rules
}

let rules: ReadonlyMap<string, MergeRule> | undefined

function rulesBelow(
  kind: string,
  name: string,
  path: string,
  above: readonly string[],
): readonly [string, MergeRule][] {
  // Some types hold themselves.
  if (above.includes(name)) return []
  return [...modelOf(name).fields].flatMap(([field, { type }]): readonly [string, MergeRule][] => {
    const at = path === '' ? field : `${path}.${field}`
    const rule = mergeRule(kind, at)
    const inner = innermost(type)
    const below = inner.is === 'model' ? rulesBelow(kind, inner.name, at, [...above, name]) : []
    return rule === undefined ? below : [[`${name}.${field}`, rule], ...below]
  })
}

function innermost(type: FieldType): FieldType {
  return type.is === 'list' || type.is === 'map' ? innermost(type.of) : type
}
