import type { Deployment, ReplicaSet } from '#lab/client/objects.ts'
import { ownerReference } from '../facts/owners.ts'
import type { Write } from '../loop/controller.ts'
import { annotationsOf, newestRevision, REVISION } from './revisions.ts'
import { boundsOf, minReadySecondsOf, replicasOf } from './strategy.ts'
import { TEMPLATE_HASH, templateHash, withHash } from './template.ts'

// The ReplicaSet that has a Deployment's template: made where there is none, and marked as the newest revision.

export interface NewestFacts {
  /** Absent where none has the template yet. */
  readonly newest: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
}

/** At most one write; nothing where all is as it should be. */
export function newestWrites(deployment: Deployment, facts: NewestFacts): readonly Write[] {
  const { newest, old } = facts
  const revision = newestRevision(old, newest)
  if (newest === undefined) return [created(deployment, facts, revision)]
  const { surge } = boundsOf(deployment)
  const before = newest.metadata.annotations ?? {}
  const annotations = annotationsOf(deployment, { revision, surge, before })
  const minReadySeconds = minReadySecondsOf(deployment)
  // What the Deployment wants in numbers is written when it is scaled.
  const differs = Object.entries(annotations).some(([name, value]) => !isNumber(name) && before[name] !== value)
  if (differs || (newest.spec?.minReadySeconds ?? 0) !== minReadySeconds) {
    const kept = { ...annotations, ...Object.fromEntries(Object.entries(before).filter(([name]) => isNumber(name))) }
    const metadata = { ...newest.metadata, annotations: kept }
    const object: ReplicaSet = { ...newest, metadata, spec: { ...newest.spec!, minReadySeconds } }
    return [{ do: 'replace', object }]
  }
  return revisionWrites(deployment, revision)
}

/** The annotation of the Deployment itself. */
function revisionWrites({ metadata }: Deployment, revision: number): readonly Write[] {
  if (metadata.annotations?.[REVISION] === String(revision)) return []
  const { namespace, name = '' } = metadata
  const key = { name, ...(namespace !== undefined && { namespace }) }
  const patch = { metadata: { annotations: { [REVISION]: String(revision) } } }
  return [{ do: 'patch', kind: 'Deployment', key, patch }]
}

function created(deployment: Deployment, { old }: NewestFacts, revision: number): Write {
  const { name = '', namespace } = deployment.metadata
  const template = deployment.spec!.template
  const hash = templateHash(template)
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash }
  const { surge } = boundsOf(deployment)
  const { matchLabels, ...selector } = deployment.spec!.selector
  const replicas = firstReplicas(deployment, old)
  const object: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace !== undefined && { namespace }),
      labels,
      annotations: annotationsOf(deployment, { revision, surge }),
      ownerReferences: [ownerReference(deployment)],
    },
    spec: {
      replicas,
      minReadySeconds: minReadySecondsOf(deployment),
      selector: { ...selector, matchLabels: { ...matchLabels, [TEMPLATE_HASH]: hash } },
      template: withHash(template, hash),
    },
  }
  const message = `Scaled up replica set ${object.metadata.name} from 0 to ${replicas}`
  const note = { about: deployment, type: 'Normal', reason: 'ScalingReplicaSet', message } as const
  return { do: 'create', object, ...(replicas > 0 && { note: () => note }) }
}

/** As many as there is room for at once. */
function firstReplicas(deployment: Deployment, old: readonly ReplicaSet[]): number {
  const wanted = replicasOf(deployment)
  const there = old.reduce((sum, set) => sum + replicasOf(set), 0)
  return Math.max(0, Math.min(wanted, wanted + boundsOf(deployment).surge - there))
}

function isNumber(annotation: string): boolean {
  return annotation.endsWith('-replicas')
}
