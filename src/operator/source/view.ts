import type { Invocation } from '#command-line/start.ts'
import type { Node } from '#kubernetes/objects.ts'
import type { Cluster } from '#proxy/cluster/cluster.ts'
import type { Address } from '#values/address.ts'

// A cluster as an operator's verb sees it, wherever it comes from.

export interface ClusterView {
  /** One line: which source it was. */
  readonly from: string
  readonly by: 'files' | 'agent' | 'api'
  /** Of the agent, where it was asked: they shape rules. */
  readonly settings: Invocation['settings']
  readonly nodeName: string
  /** As the proxy of this node sees it. */
  readonly cluster: Cluster
  /** All that are known; of an agent, its own. */
  readonly nodes: readonly Node[]
  /** Every Node; undefined where an agent knows its own alone, and its API server cannot be asked. */
  readonly allNodes: () => Promise<readonly Node[] | undefined>
  /** Undefined where they are not known. Asked when they are needed: there may be a hundred thousand of them. */
  readonly pods: () => Promise<readonly PlacedPod[] | undefined>
  /** The socket of the agent that was asked. */
  readonly agent?: string
  /** Where a name stands without one. */
  readonly namespace: string
}

export interface PlacedPod {
  /** `namespace/name` */
  readonly pod: string
  readonly uid: string
  readonly node: string
  /** None where it has none yet. */
  readonly addresses: readonly Address[]
  readonly isFinished: boolean
  /** It has no network of its own. */
  readonly isOnHost: boolean
}
