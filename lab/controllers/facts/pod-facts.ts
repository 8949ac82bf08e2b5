import type { Condition, Pod } from '#lab/client/objects.ts'

// A Pod → what controllers ask of it.

/** It has not ended and is not about to. */
export function isActive({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp === undefined && !hasEnded(status?.phase)
}

export function hasEnded(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed'
}

export function isReady(pod: Pod): boolean {
  return conditionOf(pod, 'Ready')?.status === 'True'
}

/** Milliseconds until it has been ready for `minReadySeconds`: 0 where it has, Infinity where it is not ready. */
export function untilAvailable(pod: Pod, minReadySeconds: number, now: number): number {
  const ready = conditionOf(pod, 'Ready')
  if (ready?.status !== 'True') return Number.POSITIVE_INFINITY
  if (minReadySeconds === 0) return 0
  const since = Date.parse(ready.lastTransitionTime ?? '')
  return Number.isNaN(since) ? 0 : Math.max(0, since + minReadySeconds * 1000 - now)
}

/** Of any object with conditions. */
export function conditionOf(
  { status }: { readonly status?: { readonly conditions?: readonly Condition[] } },
  type: string,
): Condition | undefined {
  return status?.conditions?.find(condition => condition.type === type)
}

export function restartsOf({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount))
}
