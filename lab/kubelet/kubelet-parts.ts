import type { PodStreams } from '#lab/api-server/streams/pod-streams.ts'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import type { Clock } from '#system/ports.ts'
import type { NodePlace } from './node-place.ts'

// What a kubelet is built from, and what it offers: `startKubelet(parts)` in kubelet.ts.

export interface KubeletParts {
  readonly client: ClusterClient
  readonly node: NodePlace
  /** `namespaces`: pods are network namespaces with programs of this process, or commands, in them. */
  readonly runtime: 'namespaces' | 'containerd'
  readonly clock: Clock
  /** How often the Lease of its node is renewed; every 10 s if absent. */
  readonly renewMs?: number
  /** What went wrong beside the pods, one line each. */
  readonly warn?: (line: string) => void
}

export interface Kubelet extends PodStreams {
  readonly nodeName: string
  /** Resolves when the Node is registered and Ready, and its pods are being worked on. */
  readonly ready: Promise<void>
  /** Ends all of its pods at once, takes their networks down, and stops. The objects in the API stay as they are. */
  close(): Promise<void>
}
