import type { Pod, PodSpec } from '#lab/client/objects.ts'

// What stands of a pod on its node, as a value: its sandbox, its containers, and how far its end has come.

export type Container = PodSpec['containers'][number]
export type PodStatus = NonNullable<Pod['status']>

/** How a container ended. */
export interface Ended {
  readonly id: string
  readonly exitCode: number
  /** The number of the signal that ended it. */
  readonly signal?: number
  readonly reason: 'Completed' | 'Error' | 'StartError'
  readonly message?: string
  readonly startedAt: number
  readonly finishedAt: number
}

export type ContainerNow =
  | { readonly is: 'new' }
  /** It cannot start for now. */
  | {
      readonly is: 'refused'
      readonly reason: 'CreateContainerConfigError'
      readonly message: string
      readonly retryAt: number
    }
  | {
      readonly is: 'running'
      readonly id: string
      readonly startedAt: number
      /** False until its startup probe has succeeded; true from the start where it has none. */
      readonly isStarted: boolean
      /** By its readiness probe. */
      readonly isReady: boolean
      /** Set once it is to end, and why. */
      readonly ending?: 'Unhealthy' | 'PodEnds'
      /** When it is killed, if it has not ended by then. */
      readonly killAt?: number
    }
  | { readonly is: 'ended'; readonly end: Ended }

export interface ContainerStands {
  readonly now: ContainerNow
  readonly restarts: number
  /** How many of them have come one after another, with no steady run in between. */
  readonly backOff: number
  /** The end before what is now. */
  readonly last?: Ended
}

export type SandboxStands =
  | { readonly is: 'none' }
  | { readonly is: 'refused'; readonly message: string; readonly tries: number; readonly retryAt: number }
  | { readonly is: 'up'; readonly ips: readonly string[]; readonly since: number }
  /** All containers have ended for good, and the network was taken down. */
  | { readonly is: 'removed'; readonly ips: readonly string[] }

export interface PodStands {
  readonly sandbox: SandboxStands
  /** By name; init containers among them. */
  readonly containers: Readonly<Record<string, ContainerStands>>
  /** When the pod began to end. */
  readonly endingSince?: number
  /** The pod is no longer in the API: nothing of it is reported, and it gets no grace. */
  readonly isGone?: true
}

export const NOTHING: PodStands = { sandbox: { is: 'none' }, containers: {} }

const NEW: ContainerStands = { now: { is: 'new' }, restarts: 0, backOff: 0 }

export function containerIn(stands: PodStands, { name }: Pick<Container, 'name'>): ContainerStands {
  return stands.containers[name] ?? NEW
}

export function withContainer(stands: PodStands, name: string, container: ContainerStands): PodStands {
  return { ...stands, containers: { ...stands.containers, [name]: container } }
}

export function allContainers({ spec }: Pod): readonly Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
}

export function hasBegun(stands: PodStands, container: Pick<Container, 'name'>): boolean {
  const { now, last } = containerIn(stands, container)
  return now.is === 'running' || now.is === 'ended' || last !== undefined
}

/** A pod is initialized once: a sidecar that ends later does not take it back. */
export function wasInitialized({ spec }: Pod, stands: PodStands): boolean {
  return (spec?.containers ?? []).some(container => hasBegun(stands, container))
}

/** An init container that runs beside the others: the next one starts once it has started. */
export function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always'
}
