// Values of any shape → fields and lists to fill in.

export type Fields = Readonly<Record<string, unknown>>

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function withoutNulls(value: unknown): Fields {
  return Object.fromEntries(Object.entries(fieldsOf(value)).filter(([, it]) => it !== null))
}
