import type { FieldProblem } from '../../refusals.ts'

// What is wrong with a field → a problem in the words of kube-apiserver.

export function required(field: string, why?: string): FieldProblem {
  const message = why === undefined ? 'Required value' : `Required value: ${why}`
  return { reason: 'FieldValueRequired', field, message }
}

export function wrong(field: string, value: unknown, why: string): FieldProblem {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` }
}

export function unsupported(field: string, value: unknown, supported: readonly string[]): FieldProblem {
  const list = supported.map(it => JSON.stringify(it)).join(', ')
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`
  return { reason: 'FieldValueNotSupported', field, message }
}

export function twice(field: string, value: unknown): FieldProblem {
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${JSON.stringify(value)}` }
}

export function barred(field: string, why: string): FieldProblem {
  return { reason: 'FieldValueForbidden', field, message: `Forbidden: ${why}` }
}
