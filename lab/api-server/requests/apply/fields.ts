import type { ApiObject } from '#lab/api-server/store.ts'
import { asPod, isRecord, itemKey, mergeType } from '../merging/merge-rules.ts'

// An object → its fields by path, as managers own them; and sets of paths ⇄ the fieldsV1 of managedFields.

/** Steps as in fieldsV1 (`f:spec`, `k:{"port":80,"protocol":"TCP"}`, `v:"10.0.0.0/24"`), one a line. */
export type FieldPath = string

/** Where a value stands: its path, and the names of it alone (`spec.ports.port`). */
interface Place {
  readonly path: FieldPath
  readonly field: string
}

/** What the server itself fills in, or what says which object it is, belongs to no manager. */
const UNOWNED: ReadonlySet<string> = new Set(
  ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'generation', 'managedFields', 'selfLink'].map(
    field => `metadata.${field}`,
  ),
)

/** What every object of its kind has, if only empty: no writer makes it, and so none owns it. */
const ALWAYS_THERE: ReadonlySet<string> = new Set([
  ...['metadata', 'spec', 'status', 'spec.template', 'spec.template.metadata', 'spec.template.spec'],
  ...['Deployment spec.strategy', 'Pod spec.containers', 'Service status.loadBalancer', 'Event source'],
  ...['Node status.nodeInfo', 'Node status.daemonEndpoints', 'Node status.daemonEndpoints.kubeletEndpoint'],
])

/**
 * Every path that can be owned, and the text of its value; an item of a list has a path of its own and no value. `counted`:
 * so have objects and lists that a write may add as a whole.
 */
export function fieldsOf(
  kind: string,
  object: ApiObject,
  containers: 'counted' | 'passed' = 'passed',
): ReadonlyMap<FieldPath, string> {
  const found = new Map<FieldPath, string>()
  const { apiVersion: _version, kind: _kind, ...rest } = object
  walkFields(rest, { path: '', field: '' })
  return found

  function walkFields(fields: Readonly<Record<string, unknown>>, at: Place): void {
    for (const [key, child] of Object.entries(fields)) {
      const field = at.field === '' ? key : `${at.field}.${key}`
      if (child !== undefined && !UNOWNED.has(field)) walk(child, { path: join(at.path, `f:${key}`), field })
    }
  }

  function walk(value: unknown, at: Place): void {
    const type = mergeType(kind, at.field, value)
    if (containers === 'counted' && type.as !== 'atomic' && isContainer(value) && !isAlwaysThere(kind, at.field)) {
      found.set(at.path, '')
    }
    if (type.as === 'granular' && isRecord(value) && Object.keys(value).length > 0) walkFields(value, at)
    else if (type.as === 'keyed' && Array.isArray(value)) {
      for (const item of value) {
        const path = join(at.path, itemKey(item, type.keys))
        found.set(path, '')
        if (isRecord(item)) walkFields(item, { path, field: at.field })
      }
    } else if (type.as === 'set' && Array.isArray(value)) {
      for (const item of value) found.set(join(at.path, `v:${JSON.stringify(item)}`), '')
    } else if (at.field !== 'metadata') found.set(at.path, canonical(value))
  }
}

function isContainer(value: unknown): boolean {
  return Array.isArray(value) || (isRecord(value) && Object.keys(value).length > 0)
}

function isAlwaysThere(kind: string, field: string): boolean {
  return (
    ALWAYS_THERE.has(field) || ALWAYS_THERE.has(`${kind} ${field}`) || ALWAYS_THERE.has(asPod(kind, field).join(' '))
  )
}

export function join(path: FieldPath, step: string): FieldPath {
  return path === '' ? step : `${path}\n${step}`
}

export function stepsOf(path: FieldPath): readonly string[] {
  return path.split('\n')
}

/** `.spec.ports[port=80,protocol="TCP"].targetPort`: the path in the message of a conflict. */
export function shownPath(path: FieldPath): string {
  return stepsOf(path).map(shownStep).join('')
}

type Tree = { [step: string]: Tree }

export function fieldsV1(paths: Iterable<FieldPath>): object {
  const root: Tree = {}
  const whole = new Set<Tree>()
  for (const path of [...paths].sort()) {
    let tree = root
    for (const step of stepsOf(path)) tree = tree[step] ??= {}
    whole.add(tree)
  }
  for (const tree of whole) if (Object.keys(tree).length > 0) tree['.'] = {}
  return root
}

export function pathsOf(fields: unknown, path: FieldPath = ''): readonly FieldPath[] {
  const entries = Object.entries(isRecord(fields) ? fields : {})
  if (entries.length === 0) return path === '' ? [] : [path]
  return entries.flatMap(([step, below]) => (step === '.' ? [path] : pathsOf(below, join(path, step))))
}

function shownStep(step: string): string {
  if (step.startsWith('f:')) return `.${step.slice(2)}`
  if (step.startsWith('v:')) return `[=${step.slice(2)}]`
  const keys = Object.entries(JSON.parse(step.slice(2)) as object)
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`
}

/** The same for objects whose fields come in another order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, it) =>
    isRecord(it) ? Object.fromEntries(Object.entries(it).sort(([a], [b]) => (a < b ? -1 : 1))) : it,
  )
}
