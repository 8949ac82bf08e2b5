import type { Pod } from '#lab/client/objects.ts'
import type { Container } from './stands.ts'

// A container → the variables of its program, with all that they refer to looked up.

export interface EnvironmentFacts {
  readonly nodeName: string
  readonly hostIPs: readonly string[]
  readonly podIPs: readonly string[]
  /** What is in one of the pod's namespace, as texts; undefined where there is none. */
  readonly find: (kind: MapKind, name: string) => Promise<Readonly<Record<string, string>> | undefined>
}

export type MapKind = 'ConfigMap' | 'Secret'
type EnvVar = NonNullable<Container['env']>[number]
type EnvSource = NonNullable<Container['envFrom']>[number]

/** The container cannot start with these variables; the sentence says which one. */
export class EnvironmentRefused extends Error {
  override readonly name = 'EnvironmentRefused'
}

export async function environmentOf(
  pod: Pod,
  { env = [], envFrom = [] }: Container,
  facts: EnvironmentFacts,
): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  for (const source of envFrom) Object.assign(found, await allOf(source, facts))
  for (const variable of env) {
    const value = await valueFor(variable, pod, facts)
    if (value !== undefined) found[variable.name] = expanded(value, found)
  }
  return found
}

async function allOf({ configMapRef, secretRef, prefix = '' }: EnvSource, facts: EnvironmentFacts) {
  const ref = configMapRef ?? secretRef
  if (ref === undefined) return {}
  const map = await mapOf(configMapRef ? 'ConfigMap' : 'Secret', ref, facts)
  return Object.fromEntries(Object.entries(map ?? {}).map(([name, value]) => [`${prefix}${name}`, value]))
}

/** Undefined where what it refers to is absent, and may be. */
async function valueFor({ name, value = '', valueFrom }: EnvVar, pod: Pod, facts: EnvironmentFacts) {
  if (valueFrom === undefined) return value
  const { fieldRef, configMapKeyRef, secretKeyRef } = valueFrom
  if (fieldRef) return fieldOf(fieldRef.fieldPath, pod, facts)
  const ref = configMapKeyRef ?? secretKeyRef
  if (ref === undefined) throw new EnvironmentRefused(`env ${name}: valueFrom must be a field, a ConfigMap or a Secret`)
  const kind = configMapKeyRef ? 'ConfigMap' : 'Secret'
  const map = await mapOf(kind, ref, facts)
  if (map?.[ref.key] !== undefined || ref.optional) return map?.[ref.key]
  throw new EnvironmentRefused(`couldn't find key ${ref.key} in ${kind} ${pod.metadata.namespace}/${ref.name}`)
}

async function mapOf(
  kind: MapKind,
  { name = '', optional }: { readonly name?: string; readonly optional?: boolean },
  { find }: EnvironmentFacts,
) {
  const map = await find(kind, name)
  if (map === undefined && !optional) throw new EnvironmentRefused(`${kind.toLowerCase()} "${name}" not found`)
  return map
}

function fieldOf(path: string, { metadata, spec }: Pod, { nodeName, hostIPs, podIPs }: EnvironmentFacts): string {
  const [, field, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? []
  if (field !== undefined) return metadata[field as 'labels' | 'annotations']?.[key!] ?? ''
  const known: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': nodeName,
    'spec.serviceAccountName': spec?.serviceAccountName ?? 'default',
    'status.hostIP': hostIPs[0],
    'status.hostIPs': hostIPs.join(','),
    'status.podIP': podIPs[0],
    'status.podIPs': podIPs.join(','),
  }
  if (path in known) return known[path] ?? ''
  throw new EnvironmentRefused(`fieldPath: ${JSON.stringify(path)} is none of ${Object.keys(known).join(', ')}`)
}

/** `$(NAME)` of a variable before it; `$$` is a dollar. */
function expanded(text: string, known: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]+)\)/g, (all, name?: string) => (name === undefined ? '$' : (known[name] ?? all)))
}
