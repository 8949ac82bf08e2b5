import { Refused } from './answers.ts'
import type { Resource } from './resources.ts'

// Why a write is refused → the Status the real API server answers, in its words: clients and people grep for them.

/** One field the real server does not take, as a StatusCause names it. */
export interface FieldProblem {
  readonly reason:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueDuplicate'
  readonly field: string
  readonly message: string
}

export function notAllowed(): Refused {
  return new Refused(405, 'the server does not allow this method on the requested resource')
}

export function notServed(): Refused {
  return new Refused(404, 'the server could not find the requested resource')
}

export function notFound(resource: Resource, name: string): Refused {
  return new Refused(404, `${label(resource, name)} not found`, about(resource, name))
}

export function alreadyExists(resource: Resource, name: string): Refused {
  const message = `${label(resource, name)} already exists`
  return new Refused(409, message, { reason: 'AlreadyExists', ...about(resource, name) })
}

export function conflict(resource: Resource, name: string, why: string): Refused {
  return new Refused(409, `Operation cannot be fulfilled on ${label(resource, name)}: ${why}`, about(resource, name))
}

export function forbidden(resource: Resource, name: string, why: string, causes?: readonly object[]): Refused {
  const { details } = about(resource, name)
  const more = { details: { ...details, ...(causes && { causes }) } }
  return new Refused(403, `${label(resource, name)} is forbidden: ${why}`, more)
}

/** 500, in the words of apimachinery. */
export function internalError(why: string): Refused {
  return new Refused(500, `Internal error occurred: ${why}`, { details: { causes: [{ message: why }] } })
}

/** 422, with one cause for every field. */
export function invalid(
  { group, kind }: Pick<Resource, 'group' | 'kind'>,
  name: string,
  problems: readonly FieldProblem[],
): Refused {
  const lines = problems.map(({ field, message }) => `${field}: ${message}`)
  const what = lines.length === 1 ? lines[0]! : `[${lines.join(', ')}]`
  const message = `${kind}${group && `.${group}`} ${JSON.stringify(name)} is invalid: ${what}`
  const causes = problems.map(({ reason, message, field }) => ({ reason, message, field }))
  return new Refused(422, message, { details: { ...(name && { name }), ...(group && { group }), kind, causes } })
}

function label({ plural, group }: Resource, name: string): string {
  return `${plural}${group && `.${group}`} ${JSON.stringify(name)}`
}

function about({ plural, group }: Resource, name: string): { details: object } {
  return { details: { name, ...(group && { group }), kind: plural } }
}
