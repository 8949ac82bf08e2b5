import type { V1Deployment, V1LabelSelector, V1PodTemplateSpec, V1ReplicaSet } from '@kubernetes/client-node'
import { shownSelector } from '../../requests/selectors.ts'
import { type Column, columns, NONE } from './column.ts'
import { POD } from './pods.ts'

// Deployments, ReplicaSets and their pods → columns.

interface Workload {
  readonly spec?: { readonly selector: V1LabelSelector; readonly template?: V1PodTemplateSpec }
}

const TEMPLATE: readonly Column<Workload>[] = [
  { name: 'Containers', description: 'Containers of each pod.', cell: it => ofContainers(it, ({ name }) => name) },
  { name: 'Images', description: 'Images of them.', cell: it => ofContainers(it, ({ image = '' }) => image) },
  {
    name: 'Selector',
    description: 'Labels of the pods.',
    cell: ({ spec }) => shownSelector(spec?.selector ?? {}) || NONE,
  },
]

const DEPLOYMENT = columns<V1Deployment>(
  [
    {
      name: 'Ready',
      description: 'Pods that are ready, of how many there should be.',
      cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    },
    {
      name: 'Up-to-date',
      description: 'Pods of the newest template.',
      cell: ({ status }) => status?.updatedReplicas ?? 0,
    },
    {
      name: 'Available',
      description: 'Pods that have been ready for long enough.',
      cell: ({ status }) => status?.availableReplicas ?? 0,
    },
  ],
  TEMPLATE,
)

const REPLICA_SET = columns<V1ReplicaSet>(
  [
    {
      ...{ name: 'Desired', description: 'How many pods there should be.', type: 'integer' },
      cell: ({ spec }) => spec?.replicas ?? 0,
    },
    {
      ...{ name: 'Current', description: 'How many pods there are.', type: 'integer' },
      cell: ({ status }) => status?.replicas ?? 0,
    },
    {
      ...{ name: 'Ready', description: 'How many of them are ready.', type: 'integer' },
      cell: ({ status }) => status?.readyReplicas ?? 0,
    },
  ],
  TEMPLATE,
)

export const WORKLOAD_COLUMNS: Readonly<Record<string, readonly Column<never>[]>> = {
  Pod: POD,
  Deployment: DEPLOYMENT,
  ReplicaSet: REPLICA_SET,
}

type Container = NonNullable<V1PodTemplateSpec['spec']>['containers'][number]

function ofContainers({ spec }: Workload, part: (container: Container) => string): string {
  return (spec?.template?.spec?.containers ?? []).map(part).join(',')
}
