// Why nothing is allocated, in kube-apiserver's words: people and programs look for them.

export interface AllocationProblem {
  readonly reason: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueNotSupported' | 'FieldValueDuplicate'
  readonly field: string
  readonly message: string
}

/** Fields that cannot be as they were sent (422 Invalid), or, with `internal`, that there is nothing left to give (500 InternalError). */
export class AllocationRefused extends Error {
  readonly problems: readonly AllocationProblem[]
  readonly internal: string | undefined

  constructor(why: { readonly problems: readonly AllocationProblem[] } | { readonly internal: string }) {
    super(
      'problems' in why ? why.problems.map(({ field, message }) => `${field}: ${message}`).join(', ') : why.internal,
    )
    this.name = 'AllocationRefused'
    this.problems = 'problems' in why ? why.problems : []
    this.internal = 'internal' in why ? why.internal : undefined
  }
}

export function invalidValue(field: string, value: unknown, why: string): AllocationProblem {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value ?? null)}: ${why}` }
}

export function forbiddenValue(field: string, why: string): AllocationProblem {
  return { reason: 'FieldValueForbidden', field, message: `Forbidden: ${why}` }
}

export function refuseWith(problems: readonly AllocationProblem[]): void {
  if (problems.length > 0) throw new AllocationRefused({ problems })
}
