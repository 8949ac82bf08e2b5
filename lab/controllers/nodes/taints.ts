import type { Node, Pod } from '#lab/client/objects.ts'
import { conditionOf } from '../facts/pod-facts.ts'
import { tolerates } from '../scheduler/fits.ts'

// How a node is → the taints that keep pods away from it, and how long each pod on it may stay.

export type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number]

const UNREACHABLE = 'node.kubernetes.io/unreachable'
const NOT_READY = 'node.kubernetes.io/not-ready'
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'
const OURS: ReadonlySet<string> = new Set([UNREACHABLE, NOT_READY, UNSCHEDULABLE])

/** Undefined where they are as they should be. */
export function taintsOf(node: Node, time: string): readonly Taint[] | undefined {
  const before = node.spec?.taints ?? []
  const wanted = wantedTaints(node)
  const isSame = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect
  const own = before.filter(({ key }) => OURS.has(key))
  if (own.length === wanted.length && wanted.every(taint => own.some(it => isSame(it, taint)))) return undefined
  const next = wanted.map(taint => {
    const timed = taint.effect === 'NoExecute' ? { ...taint, timeAdded: time } : taint
    return own.find(it => isSame(it, taint)) ?? timed
  })
  return [...before.filter(({ key }) => !OURS.has(key)), ...next]
}

function wantedTaints(node: Node): readonly Taint[] {
  const ready = conditionOf(node, 'Ready')?.status
  const key = ready === 'True' ? undefined : ready === 'False' ? NOT_READY : UNREACHABLE
  // A node of which no condition was ever posted is new.
  const state = ready === undefined ? NOT_READY : key
  const away = state === undefined ? [] : ['NoSchedule', 'NoExecute'].map(effect => ({ key: state, effect }))
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
