import { applyPatch, type Operation, Pointer } from 'rfc6902'
import { Refused } from '../../answers.ts'

// RFC 6902, through the package of that name. What it leaves open is answered as the real API server's library does.

/** A text that is no list of objects is 400; an operation that cannot be done is 422, and none of the others counts. */
export function jsonPatched(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch) || !patch.every(isRecord))
    throw new Refused(400, 'a JSON patch must be a list of operations')
  // A key `__proto__` in the document would be taken for the prototype.
  const document = { root: structuredClone(target) }
  for (const operation of patch) {
    if (!isComplete(operation)) throw impossible()
    const step = underRoot(operation)
    if (!isInRange(document, step) || applyPatch(document, [step])[0] !== null) throw impossible()
  }
  return document.root
}

type RawOperation = Readonly<Record<string, unknown>>

const NEEDS: Readonly<Record<string, readonly string[]>> = {
  add: ['value'],
  remove: [],
  replace: ['value'],
  move: ['from'],
  copy: ['from'],
  test: ['value'],
}

function isComplete(operation: RawOperation): boolean {
  const needs = Object.hasOwn(NEEDS, String(operation.op)) ? NEEDS[String(operation.op)] : undefined
  if (needs === undefined || !needs.every(member => Object.hasOwn(operation, member))) return false
  const pointers = Object.hasOwn(operation, 'from') ? [operation.path, operation.from] : [operation.path]
  return pointers.every(isPointer)
}

/** RFC 6901. Keys that mean something to JavaScript itself are in no Kubernetes object. */
function isPointer(value: unknown): value is string {
  if (typeof value !== 'string' || !/^(\/([^~/]|~[01])*)*$/.test(value)) return false
  return !/\/(__proto__|constructor|prototype)(\/|$)/.test(value)
}

/** The package refuses to replace a whole document; under one more object, the document is a member like any other. */
function underRoot(operation: RawOperation): Operation {
  const { op, path, from, value } = operation
  const under = { op, path: `/root${path}`, ...(from !== undefined && { from: `/root${from}` }) }
  return { ...under, ...(Object.hasOwn(operation, 'value') && { value }) } as Operation
}

/** The package checks the index of an `add` alone: it would copy to index 99 of a list of two, and replace at `-`. */
function isInRange(document: unknown, { op, path }: Operation): boolean {
  const { parent, key } = Pointer.fromJSON(path).evaluate(document)
  if (!Array.isArray(parent)) return true
  if (key === '-') return op !== 'replace'
  return /^(0|[1-9]\d*)$/.test(key) && Number(key) <= parent.length
}

/** What is wrong stays in the real server's log: this sentence is all that a client gets. */
function impossible(): Refused {
  return new Refused(422, 'the server rejected our request due to an error in our request', { details: {} })
}

function isRecord(value: unknown): value is RawOperation {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
