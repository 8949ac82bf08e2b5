import type { Deployment, ReplicaSet } from '#lab/client/objects.ts'
import type { Write } from '../loop/controller.ts'
import { replicasOf } from './strategy.ts'

// Which revision of a Deployment each ReplicaSet is, for `kubectl rollout history` and `undo`.

export const REVISION = 'deployment.kubernetes.io/revision'
export const DESIRED = 'deployment.kubernetes.io/desired-replicas'
export const MOST = 'deployment.kubernetes.io/max-replicas'
const HISTORY = 'deployment.kubernetes.io/revision-history'
/** Annotations of a Deployment that mean nothing on its ReplicaSets. */
const NOT_COPIED: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  ...[REVISION, HISTORY, DESIRED, MOST, 'deprecated.deployment.rollback.to'],
])

export function revisionOf({ metadata }: ReplicaSet | Deployment): number {
  return Number(metadata.annotations?.[REVISION] ?? 0) || 0
}

/** Of the ReplicaSet with the Deployment's template: it is the newest, also where it was one before. */
export function newestRevision(old: readonly ReplicaSet[], newest: ReplicaSet | undefined): number {
  const highest = Math.max(0, ...old.map(revisionOf))
  const own = newest === undefined ? 0 : revisionOf(newest)
  return own > highest ? own : highest + 1
}

export function annotationsOf(
  deployment: Deployment,
  { revision, surge, before = {} }: AnnotationFacts,
): Readonly<Record<string, string>> {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !NOT_COPIED.has(name))
  const [was, history] = [before[REVISION], before[HISTORY]]
  const isLater = was !== undefined && was !== String(revision)
  const past = isLater ? [history, was].filter(it => it !== undefined).join(',') : history
  return {
    ...before,
    ...Object.fromEntries(copied),
    [REVISION]: String(revision),
    ...(past !== undefined && { [HISTORY]: past }),
    ...scaleAnnotations(deployment, surge),
  }
}

export interface AnnotationFacts {
  readonly revision: number
  readonly surge: number
  readonly before?: Readonly<Record<string, string>>
}

/** What the Deployment wanted when the ReplicaSet was last scaled: where it wants another number now, it was scaled. */
export function scaleAnnotations(deployment: Deployment, surge: number): Readonly<Record<string, string>> {
  const wanted = replicasOf(deployment)
  return { [DESIRED]: String(wanted), [MOST]: String(wanted + surge) }
}

/** Those that have nothing left, the oldest first, beyond the number that is kept. */
export function expired(deployment: Deployment, old: readonly ReplicaSet[]): readonly Write[] {
  const keep = deployment.spec?.revisionHistoryLimit ?? 10
  const idle = old.filter(set => replicasOf(set) === 0 && (set.status?.replicas ?? 0) === 0 && isSettled(set))
  const byRevision = [...idle].sort((a, b) => revisionOf(a) - revisionOf(b))
  return byRevision.slice(0, Math.max(0, idle.length - keep)).map(object => ({ do: 'delete', object }))
}

function isSettled({ metadata, status }: ReplicaSet): boolean {
  return metadata.deletionTimestamp === undefined && (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
}
