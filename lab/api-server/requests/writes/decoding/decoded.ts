import type { ApiObject } from '#lab/api-server/object.ts'
import { modelName } from '#lab/api-server/openapi/kinds.ts'
import { Refused } from '../../answers.ts'
import { invalid } from '../../refusals.ts'
import { apiVersion, type Resource } from '../../resources.ts'
import type { FieldValidation } from '../options.ts'
import { typedValue, WrongType } from './typed.ts'

// An object as a client sent it, or as its patch left it → the object that can be stored, and warnings of fields that it loses.

export interface Decoded {
  readonly object: ApiObject
  readonly warnings: readonly string[]
}

export function decodedObject(resource: Resource, sent: ApiObject, validation: FieldValidation): Decoded {
  const { value, problem, unknown } = attempt(resource, sent)
  const name = `${resource.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}`
  if (value === undefined) throw new Refused(400, `${name}: ${problem}`)
  const warnings = unknown.map(field => `unknown field ${JSON.stringify(field)}`)
  if (validation !== 'Strict' || warnings.length === 0) return kept(value, warnings, validation)
  throw new Refused(400, `${name}: strict decoding error: ${warnings.join(', ')}`)
}

/** After a patch, it is the patch that is wrong. */
export function decodedPatch(resource: Resource, patched: ApiObject, validation: FieldValidation): Decoded {
  const { value, problem, unknown } = attempt(resource, patched)
  const warnings = unknown.map(field => `unknown field ${JSON.stringify(field)}`)
  if (value !== undefined && (validation !== 'Strict' || warnings.length === 0))
    return kept(value, warnings, validation)
  const why = problem ?? `strict decoding error: ${warnings.join(', ')}`
  const message = `Invalid value: ${JSON.stringify(JSON.stringify(patched))}: ${why}`
  throw invalid({ group: '', kind: '' }, '', [{ reason: 'FieldValueInvalid', field: 'patch', message }])
}

/** Server-side apply merges by type, and so takes no field that the type has not. */
export function decodedConfig(resource: Resource, config: ApiObject): ApiObject {
  const { value, problem, unknown } = attempt(resource, config)
  const wrong = problem ?? (unknown[0] === undefined ? undefined : `.${unknown[0]}: field not declared in schema`)
  if (value !== undefined && wrong === undefined) return value
  const { namespace = '', name = '' } = config.metadata
  const version = resource.group === '' ? `/${resource.version}` : apiVersion(resource)
  const what = `failed to create typed patch object (${namespace}/${name}; ${version}, Kind=${resource.kind})`
  throw new Refused(500, `${what}: ${wrong}`, { reason: '' })
}

function attempt(resource: Resource, sent: ApiObject) {
  try {
    const { value, unknown } = typedValue(modelName(resource), sent)
    return { value: value as unknown as ApiObject, problem: undefined, unknown }
  } catch (error) {
    if (!(error instanceof WrongType)) throw error
    return { value: undefined, problem: error.message, unknown: [] }
  }
}

function kept(object: ApiObject, warnings: readonly string[], validation: FieldValidation): Decoded {
  return { object, warnings: validation === 'Ignore' ? [] : warnings }
}
