import type { FieldType, Model } from '#lab/api-server/openapi/models.ts'
import { modelOf } from '#lab/api-server/openapi/models.ts'

// A value that a client sent and the type it should have → the value as the real server would keep it: without nulls, and
// without fields that the type has not, which are named; or what is wrong with it.

export interface TypedValue {
  readonly value: Readonly<Record<string, unknown>>
  /** `spec.ports[0].targetport` */
  readonly unknown: readonly string[]
}

/** The value is of another type, in the words of Go's JSON decoder. */
export class WrongType extends Error {}

export function typedValue(modelName: string, sent: Readonly<Record<string, unknown>>): TypedValue {
  const unknown: string[] = []
  const value = fields(modelOf(modelName), sent, { path: '', field: '' })
  return { value, unknown }

  function fields(model: Model, sent: Readonly<Record<string, unknown>>, at: Place): Record<string, unknown> {
    const kept: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(sent)) {
      const path = join(at.path, name)
      const field = model.fields.get(name)
      if (field === undefined) unknown.push(path)
      else if (value !== null) {
        const place = { path, field: join(at.field, name), owner: model.name, name }
        kept[name] = typed(field.type, value, place)
      }
    }
    return kept
  }

  function typed(type: FieldType, value: unknown, at: FieldPlace): unknown {
    if (type.is === 'any') return value
    if (type.is === 'list') {
      if (!Array.isArray(value)) throw wrong(type, value, at)
      return value.map((item, i) => (item === null ? item : typed(type.of, item, { ...at, path: `${at.path}[${i}]` })))
    }
    if (type.is !== 'map' && type.is !== 'model') return plain(type, value, at)
    if (!isRecord(value)) throw wrong(type, value, at)
    return 'name' in type ? fields(modelOf(type.name), value, at) : entries(type.of, value, at)
  }

  function entries(type: FieldType, value: Readonly<Record<string, unknown>>, at: FieldPlace): object {
    const kept = Object.entries(value).filter(([, it]) => it !== null)
    return Object.fromEntries(kept.map(([key, it]) => [key, typed(type, it, { ...at, path: join(at.path, key) })]))
  }
}

interface Place {
  readonly path: string
  /** The same without the numbers of items. */
  readonly field: string
}

interface FieldPlace extends Place {
  /** The model that has the field. */
  readonly owner: string
  readonly name: string
}

/** Amounts of something, which may be written as numbers. */
const QUANTITIES: ReadonlySet<string> = new Set([
  'allocatable',
  'allocatedResources',
  'capacity',
  'divisor',
  'limits',
  'overhead',
  'requests',
  'sizeLimit',
])

function plain(type: FieldType, value: unknown, at: FieldPlace): unknown {
  switch (type.is) {
    case 'boolean':
      if (typeof value === 'boolean') return value
      break
    case 'number':
      if (typeof value === 'number' && (!type.format.startsWith('int') || Number.isInteger(value))) return value
      break
    case 'int-or-string':
      if (typeof value === 'string' || Number.isInteger(value)) return value
      break
    default:
      if (typeof value === 'string') return value
      if (typeof value === 'number' && QUANTITIES.has(at.name)) return String(value)
  }
  throw wrong(type, value, at)
}

function wrong(type: FieldType, value: unknown, { owner, field }: FieldPlace): WrongType {
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  const shown = kind === 'number' && type.is === 'number' ? `number ${value}` : kind
  return new WrongType(
    `json: cannot unmarshal ${shown} into Go struct field ${plainName(owner)}.${field} of type ${goType(type)}`,
  )
}

function goType(type: FieldType): string {
  switch (type.is) {
    case 'list':
      return `[]${goType(type.of)}`
    case 'map':
      return `map[string]${goType(type.of)}`
    case 'model':
      return `v1.${plainName(type.name)}`
    case 'number':
      return type.format === '' || type.format === 'double' ? 'float64' : type.format
    case 'boolean':
      return 'bool'
    default:
      return 'string'
  }
}

/** `V1ServiceSpec` → `ServiceSpec` */
function plainName(model: string): string {
  return model.replace(/^[A-Za-z]*?V\d+/, '')
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
