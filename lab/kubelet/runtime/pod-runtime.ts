import type { ExecOptions, ExecSession } from '#lab/api-server/streams/pod-streams.ts'
import type { Pod } from '#lab/client/objects.ts'
import type { Container } from '../pod/stands.ts'
import type { ReadOptions } from '../streams/container-log.ts'

// What a kubelet needs of whatever runs pods: network namespaces and programs of our own, or containerd.

export interface PodRuntime {
  /** As `kubectl get nodes -o wide` shows it. */
  readonly version: string
  /** Why no pod can have a network on this node. */
  networkProblem(): Promise<string | undefined>
  /** Its network is up when it resolves. Rejects with SandboxRefused: nothing of it stays then. */
  makeSandbox(pod: Pod): Promise<Sandbox>
  /** Those that stand from before, by a kubelet that was killed. Their containers have ended. */
  standing(): Promise<readonly Sandbox[]>
  start(start: ContainerStart): Promise<ContainerRun>
  /** Ends what still runs in it, and takes its network down. Also resolves where it is gone already. */
  removeSandbox(sandbox: Sandbox): Promise<void>
  close(): Promise<void>
}

export interface Sandbox {
  readonly id: string
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** The pod's addresses, IPv4 first; those of the node for a pod in its network. */
  readonly ips: readonly string[]
  /** The network namespace, as `ip netns` lists it; absent where it is not one of those. */
  readonly netns?: string
  /** It is the node's own: of a pod with `hostNetwork`. */
  readonly isOfNode?: true
}

export interface ContainerStart {
  readonly pod: Pod
  readonly sandbox: Sandbox
  readonly container: Container
  readonly env: Readonly<Record<string, string>>
  /** How many have run before it. */
  readonly attempt: number
}

/** One run of a container, from its start to its end. */
export interface ContainerRun {
  /** `namespaces://…`, `containerd://…` */
  readonly id: string
  readonly ended: Promise<RunEnd>
  /** Asks it to end, as SIGTERM does. */
  terminate(): void
  kill(): void
  /** Also when it has ended. */
  log(options: ReadOptions): AsyncIterable<Uint8Array>
  exec(options: ExecOptions): ExecSession
}

export interface RunEnd {
  readonly exitCode: number
  readonly signal?: number
  /** Set where it did not even begin. */
  readonly startError?: string
}

/** In the words that an event shows. */
export class SandboxRefused extends Error {
  override readonly name = 'SandboxRefused'
}
