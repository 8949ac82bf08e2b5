import type { Pod } from '#lab/client/objects.ts'
import { restartDelay } from './back-off.ts'
import { type Container, containerIn, isSidecar, type PodStands, wasInitialized } from './stands.ts'

// A pod, what stands of it, and the time → the next thing its kubelet has to do, or how long there is nothing to do.

export type Action =
  | { readonly do: 'make sandbox' }
  | { readonly do: 'start'; readonly container: Container }
  /** With its grace: preStop, SIGTERM. */
  | { readonly do: 'end'; readonly container: Container; readonly why: 'Unhealthy' | 'PodEnds' }
  | { readonly do: 'kill'; readonly container: Container }
  | { readonly do: 'remove sandbox' }
  /** Nothing of it stands: the API may forget it. */
  | { readonly do: 'finish' }

export interface Plan {
  /** All of one kind that can be done side by side; none where there is nothing to do. */
  readonly actions: readonly Action[]
  /** When to look again, if nothing happens until then. */
  readonly wakeAt?: number
}

export function planOf(pod: Pod, stands: PodStands, now: number): Plan {
  return isEnding(pod, stands) ? ending(pod, stands, now) : living(pod, stands, now)
}

/** Deleted in the API, or gone from it. */
export function isEnding({ metadata }: Pod, { isGone }: PodStands): boolean {
  return metadata.deletionTimestamp !== undefined || isGone === true
}

/** No container runs, and none will. */
export function isOver(pod: Pod, stands: PodStands): boolean {
  const { initContainers = [], containers } = pod.spec!
  const failed = initContainers.some(container => !isSidecar(container) && hasFailed(pod, stands, container))
  return (
    (failed || containers.every(container => hasEndedForGood(pod, stands, container))) &&
    initContainers.every(container => containerIn(stands, container).now.is !== 'running' || isSidecar(container))
  )
}

export function hasEndedForGood(pod: Pod, stands: PodStands, container: Container): boolean {
  const { now } = containerIn(stands, container)
  return now.is === 'ended' && !restarts(pod, container, now.end.exitCode)
}

/** When an ended container starts again. */
export function restartAt(stands: PodStands, container: Container): number | undefined {
  const { now, backOff } = containerIn(stands, container)
  return now.is === 'ended' ? now.end.finishedAt + restartDelay(backOff) : undefined
}

function hasFailed(pod: Pod, stands: PodStands, container: Container): boolean {
  const { now } = containerIn(stands, container)
  return now.is === 'ended' && now.end.exitCode !== 0 && !restarts(pod, container, now.end.exitCode)
}

function restarts({ spec }: Pod, container: Container, exitCode: number): boolean {
  const policy = spec!.restartPolicy ?? 'Always'
  const isInit = spec!.initContainers?.some(({ name }) => name === container.name) === true
  if (isInit && !isSidecar(container)) return exitCode !== 0 && policy !== 'Never'
  if (isSidecar(container) || policy === 'Always') return true
  return policy === 'OnFailure' && exitCode !== 0
}

function living(pod: Pod, stands: PodStands, now: number): Plan {
  const { sandbox } = stands
  if (sandbox.is === 'removed') return { actions: [] }
  if (sandbox.is === 'refused' && now < sandbox.retryAt) return { actions: [], wakeAt: sandbox.retryAt }
  if (sandbox.is !== 'up') return { actions: [{ do: 'make sandbox' }] }
  if (isOver(pod, stands)) return over(pod, stands, now)
  const killed = kills(pod, stands, now)
  if (killed.actions.length > 0) return killed
  const started = starts(pod, stands, now)
  return { ...started, ...earliest(killed, started) }
}

/** Sidecars end after the others; then the network goes, and the pod stays in the API as it ended. */
function over(pod: Pod, stands: PodStands, now: number): Plan {
  const ended = ends(pod, stands, now)
  if (ended !== undefined) return ended
  return { actions: [{ do: 'remove sandbox' }] }
}

function ending(pod: Pod, stands: PodStands, now: number): Plan {
  const ended = ends(pod, stands, now)
  if (ended !== undefined) return ended
  return stands.sandbox.is === 'up' ? { actions: [{ do: 'remove sandbox' }] } : { actions: [{ do: 'finish' }] }
}

/** Undefined where no container runs. */
function ends(pod: Pod, stands: PodStands, now: number): Plan | undefined {
  const running = runningOf(pod, stands)
  if (running.length === 0) return undefined
  if (stands.isGone) return { actions: running.map(container => ({ do: 'kill', container })) }
  const begun = running.filter(container => !isBegun(stands, container))
  if (begun.length > 0) return { actions: begun.map(container => ({ do: 'end', container, why: 'PodEnds' })) }
  return kills(pod, stands, now)
}

function isBegun(stands: PodStands, container: Container): boolean {
  const { now } = containerIn(stands, container)
  return now.is === 'running' && now.ending !== undefined
}

/** Those whose grace is over. */
function kills(pod: Pod, stands: PodStands, now: number): Plan {
  const due = runningOf(pod, stands).flatMap(container => {
    const { now: state } = containerIn(stands, container)
    return state.is === 'running' && state.killAt !== undefined ? [{ container, at: state.killAt }] : []
  })
  const actions = due.filter(({ at }) => at <= now).map(({ container }) => ({ do: 'kill', container }) as const)
  if (actions.length > 0 || due.length === 0) return { actions }
  return { actions, wakeAt: Math.min(...due.map(({ at }) => at)) }
}

function runningOf({ spec }: Pod, stands: PodStands): readonly Container[] {
  const { initContainers = [], containers } = spec!
  return [...initContainers, ...containers].filter(container => containerIn(stands, container).now.is === 'running')
}

/** Init containers one after another, then all others at once; a sidecar that is held back later holds back no other. */
function starts(pod: Pod, stands: PodStands, now: number): Plan {
  const { initContainers = [], containers } = pod.spec!
  for (const container of wasInitialized(pod, stands) ? [] : initContainers) {
    const { now: state } = containerIn(stands, container)
    if (state.is === 'ended' && !isSidecar(container) && state.end.exitCode === 0) continue
    const next = startOf(pod, stands, { container, now })
    if (next.actions.length > 0) return next
    if (isSidecar(container) && state.is === 'running' && state.isStarted) continue
    return next
  }
  const each = [...initContainers.filter(isSidecar), ...containers].map(container =>
    startOf(pod, stands, { container, now }),
  )
  return { actions: each.flatMap(({ actions }) => actions), ...earliest(...each) }
}

function startOf(
  pod: Pod,
  stands: PodStands,
  { container, now }: { readonly container: Container; readonly now: number },
): Plan {
  const { now: state } = containerIn(stands, container)
  if (state.is === 'new') return { actions: [{ do: 'start', container }] }
  if (state.is === 'refused') return from(state.retryAt, now, container)
  if (state.is === 'running' || !restarts(pod, container, state.end.exitCode)) return { actions: [] }
  return from(restartAt(stands, container)!, now, container)
}

function from(at: number, now: number, container: Container): Plan {
  return at <= now ? { actions: [{ do: 'start', container }] } : { actions: [], wakeAt: at }
}

function earliest(...plans: readonly Plan[]): Pick<Plan, 'wakeAt'> {
  const times = plans.flatMap(({ wakeAt }) => wakeAt ?? [])
  return times.length === 0 ? {} : { wakeAt: Math.min(...times) }
}
