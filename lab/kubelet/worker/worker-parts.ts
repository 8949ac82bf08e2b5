import type { Pod } from '#lab/client/objects.ts'
import type { Clock } from '#system/ports.ts'
import type { Container, PodStatus } from '../pod/stands.ts'
import type { CarryOut } from '../probes/checks.ts'
import type { PodRuntime } from '../runtime/pod-runtime.ts'

// What the workers of a node's pods share: the runtime, the clock, and the ways to the API.

export interface WorkerParts {
  readonly runtime: PodRuntime
  readonly clock: Clock
  readonly hostIPs: readonly string[]
  /** The node's, from where probes ask. */
  readonly nodeNetns: string
  readonly carryOut: CarryOut
  /** Begins the work when its turn has come: a node makes only some sandboxes at a time. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
  /** Rejects with EnvironmentRefused. */
  readonly environment: (
    pod: Pod,
    container: Container,
    podIPs: readonly string[],
  ) => Promise<Readonly<Record<string, string>>>
  /** Soon; of several, the last one. */
  readonly report: (pod: Pod, status: PodStatus) => void
  readonly event: (pod: Pod, event: PodEvent) => void
  /** The API forgets the pod. */
  readonly finish: (pod: Pod) => Promise<void>
}

export interface PodEvent {
  /** `Normal` where absent. */
  readonly type?: 'Warning'
  readonly reason: string
  readonly message: string
  readonly container?: string
}
