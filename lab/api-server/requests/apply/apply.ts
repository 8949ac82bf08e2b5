import type { ApiObject } from '#lab/api-server/store.ts'
import { Refused } from '../answers.ts'
import { type FieldPath, fieldsOf, shownPath } from './fields.ts'
import {
  decodeManagers,
  encodeManagers,
  type FieldManager,
  type FieldManagers,
  type ManagerName,
  pathsOfManager,
  sameName,
  withManager,
  withoutPaths,
} from './managers.ts'
import { mergedWith, withoutField } from './merge.ts'

// Server-side apply: what one manager applies → the object with that in it, without what this manager applied before,
// unless another manager owns a field that would change. All other writes only move ownership.

export interface Ownership {
  readonly kind: string
  readonly name: ManagerName
  readonly time: string
  /** Of an update: what is written at another path, as a status, is not owned through this one. */
  readonly isOwnable: (path: FieldPath) => boolean
}

/** Owns an object that was stored without managedFields, from the first apply on, as with the real server. */
const BEFORE_FIRST_APPLY = 'before-first-apply'

export function applied(
  live: ApiObject,
  config: ApiObject,
  { kind, name, time, force }: Ownership & { readonly force: boolean },
): ApiObject {
  const managers = knownManagers(kind, live, name)
  const wanted = new Set(fieldsOf(kind, config).keys())
  const last = pathsOfManager(managers, name)
  const next = withManager(managers, { name, time, paths: wanted })
  const whole = pruned(kind, mergedWith(kind, live, config), last.difference(wanted), next)
  const { changed, removed } = differences(kind, live, whole)
  if (!force) checkConflicts(next, changed, name)
  return withManagers(whole, withoutPaths(next, changed.union(removed), name))
}

/** A write of another kind: what it changed belongs to its manager alone. */
export function owned(live: ApiObject | undefined, next: ApiObject, ownership: Ownership): ApiObject {
  const { kind, name, time, isOwnable } = ownership
  const sent = decodeManagers(next.metadata.managedFields)
  const managers = sent.length > 0 || live === undefined ? sent : decodeManagers(live.metadata.managedFields)
  // Not tracked so far, or not tracked any more: `managedFields: [{}]` is how a client asks for that.
  if (live !== undefined && (managers.length === 0 || isReset(next))) return withManagers(next, [])
  const { changed, removed } = differences(kind, live, next, 'counted')
  const taken = new Set([...changed].filter(isOwnable))
  const mine = pathsOfManager(managers, name).difference(removed).union(taken)
  const others = withoutPaths(managers, changed.union(removed), name)
  return withManagers(next, withManager(others, { name, time, paths: mine }))
}

function knownManagers(kind: string, live: ApiObject, { apiVersion }: ManagerName): FieldManagers {
  const managers = decodeManagers(live.metadata.managedFields)
  const paths = new Set(fieldsOf(kind, live).keys())
  if (managers.length > 0 || paths.size === 0) return managers
  const name = { manager: BEFORE_FIRST_APPLY, operation: 'Update', apiVersion } as const
  return [{ name, time: String(live.metadata.creationTimestamp), paths }]
}

/** Removes what was applied before and is not now, where no manager owns it or something in it. */
function pruned(kind: string, object: unknown, dropped: ReadonlySet<FieldPath>, managers: FieldManagers): ApiObject {
  const kept = managers.flatMap(({ paths }) => [...paths])
  const isKept = (path: FieldPath) => kept.some(it => it === path || it.startsWith(`${path}\n`))
  let result = object
  // In order, an item goes before its fields: without them, its key would be another.
  for (const path of [...dropped].sort()) if (!isKept(path)) result = withoutField(kind, result, path)
  return result as ApiObject
}

interface Differences {
  /** Added, or of another value than before. */
  readonly changed: ReadonlySet<FieldPath>
  readonly removed: ReadonlySet<FieldPath>
}

function differences(
  kind: string,
  live: ApiObject | undefined,
  next: ApiObject,
  containers: 'counted' | 'passed' = 'passed',
): Differences {
  const before = live === undefined ? new Map<FieldPath, string>() : fieldsOf(kind, live, containers)
  const after = fieldsOf(kind, next, containers)
  const changed = [...after].filter(([path, value]) => before.get(path) !== value).map(([path]) => path)
  const removed = [...before.keys()].filter(path => !after.has(path))
  return { changed: new Set(changed), removed: new Set(removed) }
}

function checkConflicts(managers: FieldManagers, changed: ReadonlySet<FieldPath>, name: ManagerName): void {
  const conflicts = managers
    .filter(it => !sameName(it.name, name))
    .map(it => ({ with: shownManager(it), fields: [...it.paths.intersection(changed)].sort().map(shownPath) }))
    .filter(({ fields }) => fields.length > 0)
    .toSorted((a, b) => (a.with < b.with ? -1 : 1))
  const causes = conflicts.flatMap(({ with: manager, fields }) =>
    fields.map(field => ({ reason: 'FieldManagerConflict', message: `conflict with ${manager}`, field })),
  )
  const [only] = causes
  if (only === undefined) return
  const lines = conflicts.flatMap(({ with: manager, fields }) => [
    `conflicts with ${manager}:`,
    ...fields.map(field => `- ${field}`),
  ])
  const many = `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`
  const one = `Apply failed with 1 conflict: ${only.message}: ${only.field}`
  throw new Refused(409, causes.length === 1 ? one : many, { details: { causes } })
}

/** As the real server prints it: an applier by name, an updater with its version. */
function shownManager({ name: { manager, operation, apiVersion, subresource } }: FieldManager): string {
  const part = subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`
  return `${JSON.stringify(manager)}${part}${operation === 'Update' ? ` using ${apiVersion}` : ''}`
}

function isReset({ metadata: { managedFields } }: ApiObject): boolean {
  return Array.isArray(managedFields) && managedFields.length === 1 && Object.keys(managedFields[0] ?? {}).length === 0
}

function withManagers(object: ApiObject, managers: FieldManagers): ApiObject {
  const { managedFields: _before, ...metadata } = object.metadata
  const entries = encodeManagers(managers)
  return { ...object, metadata: { ...metadata, ...(entries.length > 0 && { managedFields: entries }) } }
}
