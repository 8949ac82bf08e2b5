// A small language for the shapes of API objects, and a value → what is wrong with it, each with its path.

export type Shape =
  | 'string'
  | 'int'
  | 'bool'
  | 'quantity'
  | 'int or percent'
  | { readonly oneOf: readonly string[] }
  | { readonly listOf: Shape }
  | { readonly mapOf: Shape }
  | Fields

export interface Fields {
  readonly required: Readonly<Record<string, Shape>>
  readonly optional?: Readonly<Record<string, Shape>>
  /** Exactly one of these optional fields must be there. */
  readonly exactlyOne?: readonly string[]
}

export function problems(value: unknown, shape: Shape, path = ''): readonly string[] {
  if (typeof shape === 'string') return SIMPLE[shape](value) ? [] : [`${path}: ${shown(value)} is no ${shape}`]
  if ('oneOf' in shape) {
    return shape.oneOf.includes(value as string)
      ? []
      : [`${path}: ${shown(value)} is none of ${shape.oneOf.join(', ')}`]
  }
  if ('listOf' in shape) {
    if (!Array.isArray(value)) return [`${path}: ${shown(value)} is no list`]
    return value.flatMap((item, i) => problems(item, shape.listOf, `${path}[${i}]`))
  }
  if (!isMap(value)) return [`${path}: ${shown(value)} is no object`]
  if ('mapOf' in shape)
    return Object.entries(value).flatMap(([key, item]) => problems(item, shape.mapOf, `${path}.${key}`))
  return fieldProblems(value, shape, path)
}

function fieldProblems(value: Record<string, unknown>, shape: Fields, path: string): readonly string[] {
  const { required, optional = {}, exactlyOne } = shape
  const known = { ...required, ...optional }
  const missing = Object.keys(required).filter(name => !(name in value))
  const chosen = exactlyOne?.filter(name => name in value) ?? []
  return [
    ...missing.map(name => `${path}.${name}: is missing`),
    ...(exactlyOne === undefined || chosen.length === 1
      ? []
      : [`${path}: needs exactly one of ${exactlyOne.join(', ')}`]),
    ...Object.entries(value).flatMap(([name, item]) =>
      known[name] === undefined ? [`${path}.${name}: is no field`] : problems(item, known[name], `${path}.${name}`),
    ),
  ]
}

const SIMPLE: Readonly<Record<Extract<Shape, string>, (value: unknown) => boolean>> = {
  string: value => typeof value === 'string',
  int: value => Number.isInteger(value),
  bool: value => typeof value === 'boolean',
  quantity: value => /^\d+(?:\.\d+)?(?:m|[KMGTPE]i?|k)?$/.test(String(value)),
  'int or percent': value => Number.isInteger(value) || /^\d+%$/.test(String(value)),
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
