// Kind and field → how server-side apply and strategic merge patches merge it, as the types of the Kubernetes API say it
// (x-kubernetes-list-type, -map-type, -patch-strategy, -patch-merge-key).

/** `granular` objects merge field by field, `keyed` lists item by item, sets value by value; `atomic` has one owner. */
export type MergeType =
  | { readonly as: 'granular' | 'atomic' | 'set' }
  | { readonly as: 'keyed'; readonly keys: readonly string[] }

/** How a strategic merge patch deals with a field; absent: lists are replaced and objects merged. */
export interface PatchRule {
  /** Items of a list are the same where this field is. Absent in lists of plain values, which are united. */
  readonly key?: string
  readonly strategy: 'merge' | 'retainKeys' | 'merge,retainKeys'
}

export interface MergeRule {
  readonly type?: MergeType
  readonly patch?: PatchRule
}

const ATOMIC: MergeRule = { type: { as: 'atomic' } }

/** One list of both: its first key is the one that patches go by. */
function keyed(...keys: readonly string[]): MergeRule {
  return { type: { as: 'keyed', keys }, patch: { key: keys[0]!, strategy: 'merge' } }
}

function retaining(key: string): MergeRule {
  return { type: { as: 'keyed', keys: [key] }, patch: { key, strategy: 'merge,retainKeys' } }
}

const VALUES: MergeRule = { type: { as: 'set' }, patch: { strategy: 'merge' } }

/** By kind and path of names, as `Service spec.ports`; items of lists add nothing to it. Without a kind: of all kinds. */
export const MERGE_RULES: Readonly<Record<string, MergeRule>> = {
  'metadata.finalizers': VALUES,
  'metadata.ownerReferences': keyed('uid'),
  'status.conditions': keyed('type'),
  'Service spec.ports': keyed('port', 'protocol'),
  'Service spec.selector': ATOMIC,
  'Node spec.podCIDRs': VALUES,
  // Keyed by `type` for both, and a node of two families has that twice: server-side apply replaces it here.
  'Node status.addresses': { ...ATOMIC, patch: { key: 'type', strategy: 'merge' } },
  'ServiceAccount secrets': keyed('name'),
  'Event involvedObject': ATOMIC,
  'Event regarding': ATOMIC,
  'Event related': ATOMIC,
  'Deployment spec.selector': ATOMIC,
  'Deployment spec.strategy': { patch: { strategy: 'retainKeys' } },
  'ReplicaSet spec.selector': ATOMIC,
  'Pod spec.volumes': retaining('name'),
  'Pod spec.resourceClaims': retaining('name'),
  'Pod spec.containers': keyed('name'),
  'Pod spec.initContainers': keyed('name'),
  'Pod spec.ephemeralContainers': keyed('name'),
  'Pod spec.nodeSelector': ATOMIC,
  'Pod spec.imagePullSecrets': keyed('name'),
  'Pod spec.hostAliases': keyed('ip'),
  'Pod spec.schedulingGates': keyed('name'),
  'Pod spec.topologySpreadConstraints': keyed('topologyKey', 'whenUnsatisfiable'),
  'Pod spec.containers.ports': keyed('containerPort', 'protocol'),
  'Pod spec.containers.env': keyed('name'),
  'Pod spec.containers.env.valueFrom.configMapKeyRef': ATOMIC,
  'Pod spec.containers.env.valueFrom.fieldRef': ATOMIC,
  'Pod spec.containers.env.valueFrom.resourceFieldRef': ATOMIC,
  'Pod spec.containers.env.valueFrom.secretKeyRef': ATOMIC,
  'Pod spec.containers.volumeMounts': keyed('mountPath'),
  'Pod spec.containers.volumeDevices': keyed('devicePath'),
  'Pod status.podIPs': keyed('ip'),
  'Pod status.hostIPs': { ...ATOMIC, patch: { key: 'ip', strategy: 'merge' } },
}

/** Where the key of an item has a default, an item that does not name it means that. */
const KEY_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: 'TCP' }

/** Lists that no rule names are atomic, as `clusterIPs`, `endpoints`, `ports` of a slice and most others are. */
export function mergeType(kind: string, field: string, value: unknown): MergeType {
  const known = mergeRule(kind, field)?.type
  if (known !== undefined) return known
  return { as: isRecord(value) ? 'granular' : 'atomic' }
}

export function mergeRule(kind: string, field: string): MergeRule | undefined {
  const [owner, path] = asPod(kind, field)
  return MERGE_RULES[`${owner} ${path}`] ?? MERGE_RULES[path]
}

const TEMPLATE = 'spec.template.'
const OTHER_CONTAINERS = /^spec\.(initContainers|ephemeralContainers)(?=\.)/

/** What is in a template merges as in a pod; all containers of a pod are alike. */
export function asPod(kind: string, field: string): readonly [string, string] {
  const isTemplate = field.startsWith(TEMPLATE)
  const path = isTemplate ? field.slice(TEMPLATE.length) : field
  const owner = isTemplate ? 'Pod' : kind
  return [owner, owner === 'Pod' ? path.replace(OTHER_CONTAINERS, 'spec.containers') : path]
}

/** `k:{"port":80,"protocol":"TCP"}`, as in fieldsV1. */
export function itemKey(item: unknown, keys: readonly string[]): string {
  const fields = isRecord(item) ? item : {}
  return `k:${JSON.stringify(Object.fromEntries([...keys].sort().map(key => [key, fields[key] ?? KEY_DEFAULTS[key]])))}`
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
