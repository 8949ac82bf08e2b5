import type { Condition, Pod } from '#lab/client/objects.ts'
import { containerStatuses } from './container-status.ts'
import { hasEndedForGood, isEnding, isOver } from './plan.ts'
import {
  allContainers,
  containerIn,
  hasBegun,
  isSidecar,
  type PodStands,
  type PodStatus,
  wasInitialized,
} from './stands.ts'
import { timeText } from './time-text.ts'

// A pod and what stands of it → the status its kubelet reports, as `kubectl get` and `kubectl describe` show it.

export interface StatusFacts {
  readonly hostIPs: readonly string[]
  readonly now: number
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

export function podStatus(pod: Pod, stands: PodStands, { hostIPs, now }: StatusFacts): PodStatus {
  const ips = ipsOf(pod, stands, hostIPs)
  const statuses = containerStatuses(pod, stands)
  return {
    phase: phaseOf(pod, stands),
    conditions: conditions(pod, stands, now) as NonNullable<PodStatus['conditions']>,
    hostIP: hostIPs[0]!,
    hostIPs: hostIPs.map(ip => ({ ip })),
    ...(ips.length > 0 && { podIP: ips[0]!, podIPs: ips.map(ip => ({ ip })) }),
    startTime: pod.status?.startTime ?? timeText(now),
    qosClass: pod.status?.qosClass ?? 'BestEffort',
    ...statuses,
  }
}

/** Its addresses stay in the status when its network is gone. */
function ipsOf({ spec }: Pod, { sandbox }: PodStands, hostIPs: readonly string[]): readonly string[] {
  if (sandbox.is !== 'up' && sandbox.is !== 'removed') return []
  return spec?.hostNetwork === true ? hostIPs : sandbox.ips
}

function phaseOf(pod: Pod, stands: PodStands): Phase {
  const { initContainers = [], containers } = pod.spec!
  const isInitialized = initialized(pod, stands)
  const begun = containers.every(container => hasBegun(stands, container))
  if (!isOver(pod, stands) || (isEnding(pod, stands) && !begun)) return begun && isInitialized ? 'Running' : 'Pending'
  const all = [...initContainers.filter(container => !isSidecar(container)), ...containers]
  const codes = all.map(container => {
    const { now } = containerIn(stands, container)
    return now.is === 'ended' ? now.end.exitCode : 0
  })
  return codes.every(code => code === 0) ? 'Succeeded' : 'Failed'
}

function initialized(pod: Pod, stands: PodStands): boolean {
  if (wasInitialized(pod, stands)) return true
  return (pod.spec!.initContainers ?? []).every(container => {
    const { now } = containerIn(stands, container)
    if (isSidecar(container)) return now.is === 'running' && now.isStarted
    return now.is === 'ended' && now.end.exitCode === 0
  })
}

/** Those of other programs, such as the scheduler's, stay as they are. */
function conditions(pod: Pod, stands: PodStands, now: number): readonly Condition[] {
  const before = pod.status?.conditions ?? []
  const notReady = unready(pod, stands)
  const over = isOver(pod, stands) ? { reason: 'PodCompleted' } : undefined
  const missing =
    notReady.length === 0
      ? undefined
      : { reason: 'ContainersNotReady', message: `containers with unready status: [${notReady.join(' ')}]` }
  const isInitialized = initialized(pod, stands) || over !== undefined
  const why = over ?? missing
  const own: readonly Condition[] = [
    is('PodReadyToStartContainers', stands.sandbox.is === 'up'),
    is('Initialized', isInitialized, isInitialized ? over : { reason: 'ContainersNotInitialized' }),
    is('Ready', why === undefined, why),
    is('ContainersReady', why === undefined, why),
  ]
  const kept = before.filter(({ type }) => !own.some(condition => condition.type === type))
  const scheduled = kept.some(({ type }) => type === 'PodScheduled') ? [] : [is('PodScheduled', true)]
  return [
    ...own.map(condition => since(condition, before, now)),
    ...kept,
    ...scheduled.map(it => since(it, before, now)),
  ]
}

/** The names of the containers that are not ready, as far as they count. */
function unready(pod: Pod, stands: PodStands): readonly string[] {
  return allContainers(pod)
    .filter(container => isCounted(pod, container.name))
    .filter(container => {
      const { now } = containerIn(stands, container)
      return !(now.is === 'running' && now.isReady) && !hasCompleted(pod, stands, container.name)
    })
    .map(({ name }) => name)
}

function hasCompleted(pod: Pod, stands: PodStands, name: string): boolean {
  const container = allContainers(pod).find(it => it.name === name)!
  const { now } = containerIn(stands, container)
  return hasEndedForGood(pod, stands, container) && now.is === 'ended' && now.end.exitCode === 0
}

function isCounted({ spec }: Pod, name: string): boolean {
  const init = spec!.initContainers?.find(container => container.name === name)
  return init === undefined || isSidecar(init)
}

function is(type: string, holds: boolean, why?: { readonly reason: string; readonly message?: string }): Condition {
  return { type, status: holds ? 'True' : 'False', ...why }
}

function since(condition: Condition, before: readonly Condition[], now: number): Condition {
  const same = before.find(({ type, status }) => type === condition.type && status === condition.status)
  return { ...condition, lastTransitionTime: same?.lastTransitionTime ?? timeText(now) }
}
