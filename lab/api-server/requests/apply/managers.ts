import { isRecord } from '../merging/merge-rules.ts'
import { type FieldPath, fieldsV1, pathsOf } from './fields.ts'

// metadata.managedFields ⇄ who owns which fields.

export interface ManagerName {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource?: string
}

export interface FieldManager {
  readonly name: ManagerName
  readonly time: string
  readonly paths: ReadonlySet<FieldPath>
}

export type FieldManagers = readonly FieldManager[]

export function decodeManagers(managedFields: unknown): FieldManagers {
  return (Array.isArray(managedFields) ? managedFields : []).filter(isRecord).flatMap(entry => {
    const { manager, operation, apiVersion, subresource, time, fieldsV1 } = entry
    if (operation !== 'Apply' && operation !== 'Update') return []
    const name = { manager: String(manager ?? ''), operation, apiVersion: String(apiVersion ?? '') } as const
    const part = typeof subresource === 'string' && subresource !== '' ? { subresource } : {}
    return [{ name: { ...name, ...part }, time: String(time ?? ''), paths: new Set(pathsOf(fieldsV1)) }]
  })
}

export function encodeManagers(managers: FieldManagers): readonly object[] {
  const order = ({ name, time }: FieldManager) =>
    [name.operation, time, name.manager, name.apiVersion, name.subresource].join(' ')
  return managers
    .filter(({ paths }) => paths.size > 0)
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
    .map(({ name: { manager, operation, apiVersion, subresource }, time, paths }) => ({
      manager,
      operation,
      apiVersion,
      ...(time !== '' && { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: fieldsV1(paths),
      ...(subresource !== undefined && { subresource }),
    }))
}

export function sameName(a: ManagerName, b: ManagerName): boolean {
  return a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource
}

export function pathsOfManager(managers: FieldManagers, name: ManagerName): ReadonlySet<FieldPath> {
  return managers.find(it => sameName(it.name, name))?.paths ?? new Set()
}

/** With this manager's paths replaced. An entry whose paths stay keeps its time: applying the same changes nothing. */
export function withManager(managers: FieldManagers, next: FieldManager): FieldManagers {
  const before = managers.find(it => sameName(it.name, next.name))
  if (before !== undefined && sameSet(before.paths, next.paths)) return managers
  return [...managers.filter(it => it !== before), next]
}

/** All others lose these paths. */
export function withoutPaths(
  managers: FieldManagers,
  paths: ReadonlySet<FieldPath>,
  except: ManagerName,
): FieldManagers {
  return managers.map(it => {
    if (sameName(it.name, except) || it.paths.isDisjointFrom(paths)) return it
    return { ...it, paths: it.paths.difference(paths) }
  })
}

function sameSet(a: ReadonlySet<FieldPath>, b: ReadonlySet<FieldPath>): boolean {
  return a.size === b.size && a.isSubsetOf(b)
}
