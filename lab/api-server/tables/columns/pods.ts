import type { V1ContainerState, V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import { type Ago, columns, NONE, type RowCondition } from './column.ts'

// A pod → its columns. Its status is one word for all of its containers.

export const POD = columns<V1Pod>(
  [
    { name: 'Ready', description: 'Containers that are ready, of how many there are.', cell: shownReady },
    { name: 'Status', description: 'What the pod is doing, or what is wrong with it.', cell: shownStatus },
    { name: 'Restarts', description: 'How often containers were started again.', cell: shownRestarts },
  ],
  [
    { name: 'IP', description: 'Address of the pod.', cell: ({ status }) => status?.podIP || NONE },
    { name: 'Node', description: 'Node it runs on.', cell: ({ spec }) => spec?.nodeName || NONE },
    {
      name: 'Nominated Node',
      description: 'Node it may come to when others make room.',
      cell: ({ status }) => status?.nominatedNodeName || NONE,
    },
    { name: 'Readiness Gates', description: 'Conditions that must be true for it to be ready.', cell: shownGates },
  ],
)

/** A client may leave out the rows of pods that have ended. */
export function podConditions({ status }: Pick<V1Pod, 'status'>): readonly RowCondition[] {
  const reason = status?.phase ?? ''
  const message = ENDINGS.get(reason)
  return message === undefined ? [] : [{ type: 'Completed', status: 'True', reason, message }]
}

const ENDINGS: ReadonlyMap<string, string> = new Map([
  ['Succeeded', 'The pod has completed successfully.'],
  ['Failed', 'The pod failed.'],
])

function shownReady({ spec, status }: V1Pod): string {
  const running = (status?.containerStatuses ?? []).filter(isReady)
  return `${running.length}/${spec?.containers.length ?? 0}`
}

function isReady({ ready, state }: V1ContainerStatus): boolean {
  return ready && Boolean(state?.running)
}

function shownStatus(pod: V1Pod): string {
  const { metadata, status } = pod
  const phase = status?.phase ?? ''
  if (metadata?.deletionTimestamp === undefined) return initStatus(pod) ?? containerStatus(pod)
  if (status?.reason === 'NodeLost') return 'Unknown'
  return phase === 'Succeeded' || phase === 'Failed' ? containerStatus(pod) : 'Terminating'
}

/** While containers that come first have not done their work. */
function initStatus({ spec, status }: V1Pod): string | undefined {
  const all = status?.initContainerStatuses ?? []
  const at = all.findIndex(({ state }) => state?.terminated?.exitCode !== 0)
  const state = all[at]?.state
  if (at < 0 || hasCondition(status, 'Initialized')) return undefined
  if (state?.terminated) return `Init:${shownEnd(state.terminated)}`
  const reason = state?.waiting?.reason
  if (reason && reason !== 'PodInitializing') return `Init:${reason}`
  return `Init:${at}/${spec?.initContainers?.length ?? all.length}`
}

/** Of several containers, the first that has something to say. */
function containerStatus({ status }: V1Pod): string {
  const all = status?.containerStatuses ?? []
  const words = all.map(({ state }) => wordOf(state)).filter(word => word !== undefined)
  const word = words[0] ?? gateReason(status) ?? (status?.reason || status?.phase || '')
  if (word !== 'Completed' || !all.some(isReady)) return word
  return hasCondition(status, 'Ready') ? 'Running' : 'NotReady'
}

function wordOf(state: V1ContainerState | undefined): string | undefined {
  if (state?.waiting?.reason) return state.waiting.reason
  return state?.terminated ? shownEnd(state.terminated) : undefined
}

function shownEnd({ reason, signal, exitCode }: NonNullable<V1ContainerState['terminated']>): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`)
}

function gateReason(status: V1Pod['status']): string | undefined {
  return status?.conditions?.find(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated')?.reason
}

function hasCondition(status: V1Pod['status'], wanted: string): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === wanted && value === 'True') ?? false
}

function shownRestarts({ status }: V1Pod, ago: Ago): string {
  const all = status?.containerStatuses ?? []
  const restarts = all.reduce((sum, { restartCount }) => sum + restartCount, 0)
  const ends = all.map(({ lastState }) => String(lastState?.terminated?.finishedAt ?? '')).filter(Boolean)
  const last = ends.sort().at(-1)
  return restarts > 0 && last !== undefined ? `${restarts} (${ago(last)} ago)` : String(restarts)
}

function shownGates({ spec, status }: V1Pod): string {
  const gates = spec?.readinessGates ?? []
  const met = gates.filter(({ conditionType }) => hasCondition(status, conditionType))
  return gates.length === 0 ? NONE : `${met.length}/${gates.length}`
}
