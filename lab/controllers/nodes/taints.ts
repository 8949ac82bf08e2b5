import type { Node, Pod } from '#lab/client/objects.ts'
import { awayKey, NOT_READY, tolerates, UNREACHABLE } from '../scheduler/fits.ts'

// How a node is → the taints that keep pods away from it, and how long each pod on it may stay.

export type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number]

const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'
const OURS: ReadonlySet<string> = new Set([UNREACHABLE, NOT_READY, UNSCHEDULABLE])

/** Undefined where they are as they should be. */
export function taintsOf(node: Node, time: string): readonly Taint[] | undefined {
  const before = node.spec?.taints ?? []
  const wanted = wantedTaints(node)
  const isSame = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect
  const own = before.filter(({ key }) => OURS.has(key))
  const isTimed = before.every(taint => !isUntimed(taint))
  if (isTimed && own.length === wanted.length && wanted.every(taint => own.some(it => isSame(it, taint))))
    return undefined
  const next = wanted.map(taint => own.find(it => isSame(it, taint)) ?? taint)
  const all = [...before.filter(({ key }) => !OURS.has(key)), ...next]
  return all.map(taint => (isUntimed(taint) ? { ...taint, timeAdded: time } : taint))
}

/** `kubectl taint` says no time; without one, a pod that tolerates the taint for some seconds would stay for ever. */
function isUntimed({ effect, timeAdded }: Taint): boolean {
  return effect === 'NoExecute' && !timeAdded
}

function wantedTaints(node: Node): readonly Taint[] {
  const key = awayKey(node)
  const away = key === undefined ? [] : ['NoSchedule', 'NoExecute'].map(effect => ({ key, effect }))
  return [...(node.spec?.unschedulable === true ? [{ key: UNSCHEDULABLE, effect: 'NoSchedule' }] : []), ...away]
}

export interface StayOptions {
  readonly now: number
  /** For pods that do not say how long they tolerate a node that is not ready or cannot be reached. */
  readonly toleranceMs: number
}

/** Milliseconds until the pod must leave: 0 or less where it must at once, Infinity where it may stay. */
export function mayStayMs({ spec }: Pod, taints: readonly Taint[], { now, toleranceMs }: StayOptions): number {
  const ends = taints.map(taint => {
    if (taint.effect !== 'NoExecute') return Number.POSITIVE_INFINITY
    const tolerations = (spec?.tolerations ?? []).filter(it => tolerates(it, taint))
    const since = Date.parse(taint.timeAdded ?? '') || now
    if (tolerations.length === 0) return OURS.has(taint.key) ? since + toleranceMs : now
    const seconds = tolerations.map(({ tolerationSeconds }) => tolerationSeconds ?? Number.POSITIVE_INFINITY)
    return since + Math.min(...seconds) * 1000
  })
  return Math.min(Number.POSITIVE_INFINITY, ...ends) - now
}
