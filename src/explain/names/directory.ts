import type { Node } from '#kubernetes/objects.ts'
import type { Cluster } from '#proxy/cluster/cluster.ts'
import type { Address } from '#values/address.ts'

// What a question may name: Services, Nodes and pods, as they are known.

export interface Directory {
  readonly cluster: Cluster
  readonly nodes: readonly Node[]
  /** The node whose rules are followed. */
  readonly nodeName: string
  /** Where a name stands without one. */
  readonly namespace: string
  /** Asked where a pod is named. Undefined where no pods are known. */
  pods(): Promise<readonly KnownPod[] | undefined>
}

export interface KnownPod {
  /** `namespace/name` */
  readonly pod: string
  /** Empty where it has none. */
  readonly node: string
  readonly addresses: readonly Address[]
  readonly isFinished: boolean
  /** It has no network of its own. */
  readonly isOnHost: boolean
}
