import type { Pod } from '#lab/client/objects.ts'
import { restartDelay } from './back-off.ts'
import { hasEndedForGood, isEnding, isOver } from './plan.ts'
import {
  type Container,
  type ContainerStands,
  containerIn,
  type Ended,
  isSidecar,
  type PodStands,
  type PodStatus,
} from './stands.ts'
import { timeText } from './time-text.ts'

// What stands of a pod's containers → their statuses, with the reasons that kubectl shows: ContainerCreating, CrashLoopBackOff…

type Statuses = Pick<PodStatus, 'containerStatuses' | 'initContainerStatuses'>
type ContainerStatus = NonNullable<Statuses['containerStatuses']>[number]
type State = NonNullable<ContainerStatus['state']>

export function containerStatuses(pod: Pod, stands: PodStands): Statuses {
  const { initContainers = [], containers } = pod.spec!
  const isInitializing = initContainers.length > 0 && stands.sandbox.is === 'up'
  const creating = isInitializing ? 'PodInitializing' : 'ContainerCreating'
  const each = (list: readonly Container[], reason: string) =>
    list.map(container => containerStatus(pod, stands, { container, reason }))
  return {
    ...(initContainers.length > 0 && { initContainerStatuses: each(initContainers, 'PodInitializing') }),
    containerStatuses: each(containers, creating),
  }
}

function containerStatus(
  pod: Pod,
  stands: PodStands,
  { container, reason }: { readonly container: Container; readonly reason: string },
): ContainerStatus {
  const state = containerIn(stands, container)
  const { now, restarts } = state
  const id = idOf(state)
  const isInit = pod.spec!.initContainers?.some(({ name }) => name === container.name) === true && !isSidecar(container)
  const waits = isWaiting(pod, stands, container)
  const last = waits && now.is === 'ended' ? now.end : state.last
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    ready: now.is === 'running' ? now.isReady : isInit && now.is === 'ended' && now.end.exitCode === 0,
    started: now.is === 'running' && now.isStarted,
    restartCount: restarts,
    state: waits ? waiting(pod, { container, state }) : shown(state, reason),
    lastState: last === undefined ? {} : terminated(last),
    ...(id !== undefined && { containerID: id }),
  }
}

function idOf({ now, last }: ContainerStands): string | undefined {
  if (now.is === 'running') return now.id
  return now.is === 'ended' ? now.end.id : last?.id
}

/** It has ended, and its restart is held back. */
function isWaiting(pod: Pod, stands: PodStands, container: Container): boolean {
  const { now, backOff } = containerIn(stands, container)
  const comes = now.is === 'ended' && !hasEndedForGood(pod, stands, container)
  return comes && backOff > 0 && !isOver(pod, stands) && !isEnding(pod, stands)
}

function waiting({ metadata }: Pod, { container, state }: { container: Container; state: ContainerStands }): State {
  const delay = shownDelay(restartDelay(state.backOff) / 1000)
  const whose = `container=${container.name} pod=${metadata.name}_${metadata.namespace}(${metadata.uid})`
  return {
    waiting: { reason: 'CrashLoopBackOff', message: `back-off ${delay} restarting failed ${whose}` },
  }
}

/** As Go prints a time: `1m20s`. */
function shownDelay(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60]
  return minutes === 0 ? `${rest}s` : `${minutes}m${rest}s`
}

function shown({ now }: ContainerStands, reason: string): State {
  if (now.is === 'new') return { waiting: { reason } }
  if (now.is === 'refused') return { waiting: { reason: now.reason, message: now.message } }
  if (now.is === 'running') return { running: { startedAt: timeText(now.startedAt) } }
  return terminated(now.end)
}

function terminated({ id, exitCode, signal, reason, message, startedAt, finishedAt }: Ended): State {
  return {
    terminated: {
      ...{ exitCode, reason, startedAt: timeText(startedAt), finishedAt: timeText(finishedAt), containerID: id },
      ...(signal !== undefined && { signal }),
      ...(message !== undefined && { message }),
    },
  }
}
