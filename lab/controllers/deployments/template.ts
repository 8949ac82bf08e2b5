import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Deployment, PodTemplate, ReplicaSet } from '#lab/client/objects.ts'

// A pod template → the hash that names its ReplicaSet, and that its pods have as a label.

export const TEMPLATE_HASH = 'pod-template-hash'

/** As Kubernetes writes random parts of names: no vowels, so that no words come out. */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** Of the template without a hash in it. */
export function templateHash(template: PodTemplate | undefined): string {
  const digest = createHash('sha256')
    .update(canonical(withoutHash(template)))
    .digest()
  return Array.from(digest.subarray(0, 10), byte => LETTERS[byte % LETTERS.length]).join('')
}

/**
 * The ReplicaSet that already has this template, the oldest of them. Its name counts as well: an API server may fill in more in
 * one than in the other, and a second ReplicaSet for the same template would never be the last.
 */
export function replicaSetFor(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const template = withoutHash(deployment.spec?.template)
  const hash = templateHash(deployment.spec?.template)
  return [...sets]
    .sort(byAge)
    .find(
      ({ metadata, spec }) =>
        metadata.labels?.[TEMPLATE_HASH] === hash || isDeepStrictEqual(withoutHash(spec?.template), template),
    )
}

export function withHash(template: PodTemplate, hash: string): PodTemplate {
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash }
  return { ...template, metadata: { ...template.metadata, labels } }
}

function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [x = '', y = ''] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp]
  return x < y ? -1 : x > y ? 1 : (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}

function withoutHash(template: PodTemplate | undefined): unknown {
  const { [TEMPLATE_HASH]: _, ...labels } = template?.metadata?.labels ?? {}
  const { creationTimestamp: __, ...metadata } = template?.metadata ?? {}
  return plain({ ...template, metadata: { ...metadata, labels } })
}

/** Without what says nothing: `null`, and objects with nothing in them where the other has none. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, part]) => [name, plain(part)] as const)
  return Object.fromEntries(entries.filter(([, part]) => part !== undefined && part !== null))
}

/** The same text whatever order the fields came in. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
