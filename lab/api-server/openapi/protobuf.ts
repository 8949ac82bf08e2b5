import type { Schema } from './schemas.ts'

// An OpenAPI v2 document → protobuf, as github.com/google/gnostic numbers its fields: the only form that kubectl reads it in.

export function documentBytes(document: Schema): Buffer {
  const { swagger, info, paths, definitions } = document as Readonly<Record<string, Schema>>
  return Buffer.concat([
    text(1, swagger),
    message(2, [text(1, info?.title), text(2, info?.version)]),
    message(
      8,
      Object.entries(paths ?? {}).map(([name, path]) => named(2, name, pathItem(path as Schema))),
    ),
    message(
      9,
      Object.entries(definitions ?? {}).map(([name, schema]) => named(1, name, schemaParts(schema as Schema))),
    ),
  ])
}

const METHODS: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 }

function pathItem(path: Schema): readonly Buffer[] {
  return Object.entries(METHODS).flatMap(([method, field]) =>
    path[method] === undefined ? [] : [message(field, operation(path[method] as Schema))],
  )
}

function operation({ consumes = [], parameters = [], ...rest }: Schema): readonly Buffer[] {
  return [
    ...(consumes as readonly string[]).map(type => text(7, type)),
    ...(parameters as readonly Schema[]).map(it => message(8, [message(1, [message(2, [message(3, query(it))])])])),
    message(9, [named(1, '200', [message(1, [text(1, 'OK')])])]),
    ...extensions(13, rest),
  ]
}

function query({ name, type, in: where }: Schema): readonly Buffer[] {
  return [text(2, where), text(4, name), text(6, type)]
}

function schemaParts(schema: Schema): readonly Buffer[] {
  const { required = [], properties, items, additionalProperties } = schema
  return [
    text(1, schema.$ref),
    text(2, schema.format),
    text(4, schema.description),
    ...(required as readonly string[]).map(name => text(19, name)),
    ...(additionalProperties ? [message(21, [message(1, schemaParts(additionalProperties as Schema))])] : []),
    ...(schema.type ? [message(22, [text(1, schema.type)])] : []),
    ...(items ? [message(23, [message(1, schemaParts(items as Schema))])] : []),
    ...(properties
      ? [
          message(
            25,
            Object.entries(properties).map(([name, it]) => named(1, name, schemaParts(it as Schema))),
          ),
        ]
      : []),
    ...extensions(31, schema),
  ]
}

/** Their values are YAML, and so may be JSON. */
function extensions(field: number, fields: Schema): readonly Buffer[] {
  return Object.entries(fields)
    .filter(([name]) => name.startsWith('x-'))
    .map(([name, value]) => named(field, name, [text(2, JSON.stringify(value))]))
}

function named(field: number, name: string, value: readonly Buffer[]): Buffer {
  return message(field, [text(1, name), message(2, value)])
}

function text(field: number, value: unknown): Buffer {
  return typeof value === 'string' && value !== '' ? bytes(field, Buffer.from(value)) : Buffer.alloc(0)
}

function message(field: number, parts: readonly Buffer[]): Buffer {
  return bytes(field, Buffer.concat(parts))
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(value.length), value])
}

function varint(value: number): Buffer {
  const result: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...result, rest])
    result.push((rest % 128) + 128)
  }
}
