// Objects of the API as JSON, whatever is in them: a list of them as it was read, by kind.

export interface RawCluster {
  readonly nodes: readonly RawObject[]
  readonly services: readonly RawObject[]
  readonly configMaps: readonly RawObject[]
  /** Undefined where the API server does not serve them, or does not let us see them. */
  readonly serviceCIDRs: readonly RawObject[] | undefined
  readonly addresses: readonly RawObject[] | undefined
  readonly pods: readonly RawObject[] | undefined
}

export interface RawObject {
  readonly metadata?: { readonly [field: string]: unknown }
  readonly spec?: Fields
  readonly status?: Fields
  readonly data?: Fields
}

export type Fields = { readonly [field: string]: unknown }

export function nameOf({ metadata = {} }: RawObject): string {
  const { namespace, name } = metadata
  return typeof namespace === 'string' ? `${namespace}/${name}` : String(name)
}

export function createdAt({ metadata = {} }: RawObject): number | undefined {
  const time = Date.parse(String(metadata.creationTimestamp))
  return Number.isNaN(time) ? undefined : time
}

export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function fieldsIn(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

export function numberIn(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
}
