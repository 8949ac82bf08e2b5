import type { Pod } from '#lab/client/objects.ts'
import { allContainers, type ContainerStands, type Ended, type PodStands } from './stands.ts'

// A pod as the API has it when its kubelet starts, and the sandbox that still stands of it → what stands. Programs ended with the
// kubelet that had started them; what was reported of them goes on from there.

type Status = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]

/** `ips` are those of the sandbox, where one stands. */
export function standsFound(pod: Pod, ips: readonly string[] | undefined, now: number): PodStands {
  const { phase, containerStatuses = [], initContainerStatuses = [], podIPs = [] } = pod.status ?? {}
  const statuses = new Map([...initContainerStatuses, ...containerStatuses].map(status => [status.name, status]))
  const containers = allContainers(pod).flatMap((container): [string, ContainerStands][] => {
    const status = statuses.get(container.name)
    const found = status === undefined ? undefined : containerFound(status, now)
    return found === undefined ? [] : [[container.name, found]]
  })
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  const reported = podIPs.flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
  const none = isOver ? ({ is: 'removed', ips: reported } as const) : ({ is: 'none' } as const)
  return {
    sandbox: ips === undefined ? none : { is: 'up', ips, since: now },
    containers: Object.fromEntries(containers),
  }
}

/** Undefined where it had not begun. */
function containerFound(status: Status, now: number): ContainerStands | undefined {
  const { state, lastState, restartCount: restarts } = status
  const end = endOf(state?.terminated) ?? runningEnd(status, now) ?? endOf(lastState?.terminated)
  if (end === undefined) return undefined
  const last = state?.waiting === undefined ? endOf(lastState?.terminated) : undefined
  // A kubelet that starts holds no container back.
  return { now: { is: 'ended', end }, restarts, backOff: 0, ...(last !== undefined && { last }) }
}

type Terminated = NonNullable<NonNullable<Status['state']>['terminated']>

function endOf(terminated: Terminated | undefined): Ended | undefined {
  if (terminated === undefined) return undefined
  const { containerID: id = '', exitCode, signal, message, startedAt, finishedAt } = terminated
  const reason = exitCode === 0 ? 'Completed' : terminated.reason === 'StartError' ? 'StartError' : 'Error'
  return {
    ...{ id, exitCode, reason },
    ...(signal !== undefined && { signal }),
    ...(message !== undefined && { message }),
    startedAt: Date.parse(startedAt ?? '') || 0,
    finishedAt: Date.parse(finishedAt ?? '') || 0,
  }
}

const KILLED = 137

/** It was killed with the kubelet. */
function runningEnd({ state, containerID: id = '' }: Status, now: number): Ended | undefined {
  if (state?.running === undefined) return undefined
  const startedAt = Date.parse(state.running.startedAt ?? '') || now
  return { id, exitCode: KILLED, signal: 9, reason: 'Error', startedAt, finishedAt: now }
}
