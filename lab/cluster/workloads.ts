import type { PodStreams } from '#lab/api-server/streams/pod-streams.ts'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import { openClient } from '#lab/client/http-client.ts'
import { type Controllers, startControllers } from '#lab/controllers/controllers.ts'
import { startKubelet } from '#lab/kubelet/kubelet.ts'
import type { Kubelet } from '#lab/kubelet/kubelet-parts.ts'
import type { NodePlace } from '#lab/kubelet/node-place.ts'
import { readText } from '#system/files.ts'
import type { Clock, Kernel } from '#system/ports.ts'

// An API server → what makes pods of its objects: the controllers, and a kubelet for each node, all in this process.

/** How soon a node that is dead counts as such; as in Kubernetes if absent. */
export interface NodeLifeOptions {
  /** How often each kubelet renews its Lease. */
  readonly renewMs: number
  /** Without a renewal for so long, a node is not Ready. */
  readonly graceMs: number
  /** Its pods go to other nodes after this, counted from then. */
  readonly evictAfterMs: number
}

export interface WorkloadsParts {
  readonly nodeLife?: NodeLifeOptions
  readonly kubeconfig: string
  readonly runtime: 'namespaces' | 'containerd'
  readonly kernel: Kernel
  readonly clock: Clock
  /** One line about what did not work and is tried again. */
  readonly log: (line: string) => void
}

export class Workloads {
  readonly client: ClusterClient
  readonly #parts: WorkloadsParts
  readonly #controllers: Controllers
  readonly #kubelets = new Map<string, Kubelet>()
  readonly #ready = new Set<string>()
  #lastTrouble: string | undefined

  private constructor(parts: WorkloadsParts, client: ClusterClient) {
    this.#parts = parts
    this.client = client
    const { clock, nodeLife } = parts
    const log = (line: string): void => this.#log(line)
    const settings = nodeLife && { nodeGraceMs: nodeLife.graceMs, evictAfterMs: nodeLife.evictAfterMs }
    this.#controllers = startControllers({ client, clock, log, ...(settings && { settings }) })
  }

  static async start(parts: WorkloadsParts): Promise<Workloads> {
    const { kubeconfig, kernel, clock, log } = parts
    const access = { kubeconfig, env: {}, files: { readText }, kernel, clock }
    return new Workloads(parts, await openClient(access, { onTrouble: log }))
  }

  /** What answers `kubectl logs` and `kubectl exec` for pods of this node. */
  streamsOf(node: string): PodStreams | undefined {
    return this.#kubelets.get(node)
  }

  addNode(node: NodePlace): void {
    const { runtime, clock, nodeLife } = this.#parts
    const warn = (line: string): void => this.#log(line)
    const often = nodeLife && { renewMs: nodeLife.renewMs }
    const kubelet = startKubelet({ client: this.client, node, runtime, clock, warn, ...often })
    this.#kubelets.set(node.name, kubelet)
    kubelet.ready.then(
      () => this.#ready.add(node.name),
      () => {},
    )
  }

  /** The last line that was logged, if there is one. */
  get lastTrouble(): string | undefined {
    return this.#lastTrouble
  }

  /** Whether pods could begin on it. */
  isReady(node: string): boolean {
    return this.#ready.has(node)
  }

  async nodesReady(): Promise<void> {
    await Promise.all([...this.#kubelets.values()].map(({ ready }) => ready))
  }

  /** Its pods end with it; their objects stay. */
  async removeNode(name: string): Promise<void> {
    const kubelet = this.#kubelets.get(name)
    this.#kubelets.delete(name)
    await kubelet?.close()
  }

  /** Controllers first: they would replace the pods that end. */
  async close(): Promise<void> {
    await this.#controllers.close()
    await Promise.all([...this.#kubelets.keys()].map(name => this.removeNode(name)))
    await this.client.close()
  }

  #log(line: string): void {
    this.#lastTrouble = line
    this.#parts.log(line)
  }
}
