// Kind and field → how server-side apply merges it: x-kubernetes-list-type and -map-type of the resources served here.

/** `granular` objects merge field by field, `keyed` lists item by item, sets value by value; `atomic` has one owner. */
export type MergeType =
  | { readonly as: 'granular' | 'atomic' | 'set' }
  | { readonly as: 'keyed'; readonly keys: readonly string[] }

/** A path of names, as `spec.ports`; items of lists add nothing to it. */
const TYPES: Readonly<Record<string, MergeType>> = {
  'metadata.finalizers': { as: 'set' },
  'metadata.ownerReferences': { as: 'keyed', keys: ['uid'] },
  'status.conditions': { as: 'keyed', keys: ['type'] },
  'Service spec.ports': { as: 'keyed', keys: ['port', 'protocol'] },
  'Service spec.selector': { as: 'atomic' },
  'Node spec.podCIDRs': { as: 'set' },
  'Event involvedObject': { as: 'atomic' },
  'Event regarding': { as: 'atomic' },
  'Event related': { as: 'atomic' },
}

/** Where the key of an item has a default, an item that does not name it means that. */
const KEY_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: 'TCP' }

/**
 * Lists that the table does not name are atomic, as `clusterIPs`, `endpoints`, `ports` of a slice and most others are.
 * `status.addresses` of a Node is keyed by `type` in the real API, and dual-stack nodes have that key twice: atomic
 * here.
 */
export function mergeType(kind: string, field: string, value: unknown): MergeType {
  const known = TYPES[`${kind} ${field}`] ?? TYPES[field]
  if (known !== undefined) return known
  return { as: isRecord(value) ? 'granular' : 'atomic' }
}

/** `k:{"port":80,"protocol":"TCP"}`, as in fieldsV1. */
export function itemKey(item: unknown, keys: readonly string[]): string {
  const fields = isRecord(item) ? item : {}
  return `k:${JSON.stringify(Object.fromEntries([...keys].sort().map(key => [key, fields[key] ?? KEY_DEFAULTS[key]])))}`
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
