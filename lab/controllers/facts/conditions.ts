import type { Condition } from '#lab/client/objects.ts'

// A list of conditions with one set in it. Its transition time is that of its status, not of its reason.

export function withCondition<C extends Condition>(
  conditions: readonly C[],
  { now, ...set }: { readonly now: string } & Pick<Condition, 'type' | 'status' | 'reason' | 'message'>,
): readonly C[] {
  const before = conditions.find(({ type }) => type === set.type)
  const since = before?.status === set.status ? before.lastTransitionTime : undefined
  const next = { ...before, ...set, lastTransitionTime: since ?? now } as unknown as C
  const isNew = before === undefined
  return isNew ? [...conditions, next] : conditions.map(condition => (condition === before ? next : condition))
}

export function withoutCondition<C extends Condition>(conditions: readonly C[], type: string): readonly C[] {
  return conditions.filter(condition => condition.type !== type)
}

/** A time as Kubernetes writes it: whole seconds. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
