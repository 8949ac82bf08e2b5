import type { ApiObject } from '#lab/api-server/object.ts'
import type { Resource } from '../requests/resources.ts'
import { CLUSTER_COLUMNS } from './columns/cluster.ts'
import { age, type Column, NAME, shownAge } from './columns/column.ts'
import { NETWORK_COLUMNS } from './columns/network.ts'
import { podConditions } from './columns/pods.ts'
import { WORKLOAD_COLUMNS } from './columns/workloads.ts'

// Objects → the Table that `kubectl get` prints: columns that users know, one row for each object.

export interface TableOptions {
  readonly version: 'v1' | 'v1beta1'
  /** Of the object, what its row carries: all, its metadata, nothing. */
  readonly include: 'Object' | 'Metadata' | 'None'
  readonly now: number
  /** A watch names its columns once. */
  readonly columns: 'named' | 'known'
}

const COLUMNS: Readonly<Record<string, readonly Column<never>[]>> = {
  ...WORKLOAD_COLUMNS,
  ...NETWORK_COLUMNS,
  ...CLUSTER_COLUMNS,
}

const OTHERS: readonly Column<ApiObject>[] = [NAME, age({})]

export function tableOf(
  resource: Pick<Resource, 'kind'>,
  metadata: object,
  objects: readonly ApiObject[],
  options: TableOptions,
): object {
  const columns = COLUMNS[resource.kind] ?? OTHERS
  const rows = objects.map(object => ({
    cells: columns.map(({ cell }) => cell(object as never, moment => shownAge(moment, options.now))),
    ...conditionsOf(resource, object),
    object: included(object, options),
  }))
  const definitions = options.columns === 'named' ? columns.map(definitionOf) : null
  const apiVersion = `meta.k8s.io/${options.version}`
  return { kind: 'Table', apiVersion, metadata, columnDefinitions: definitions, rows }
}

function included(object: ApiObject, options: TableOptions): object | null {
  if (options.include === 'None') return null
  return options.include === 'Object' ? object : metadataOf(object, options)
}

function conditionsOf(
  { kind }: Pick<Resource, 'kind'>,
  object: ApiObject,
): { readonly conditions?: readonly object[] } {
  const conditions = kind === 'Pod' ? podConditions(object as never) : []
  return conditions.length === 0 ? {} : { conditions }
}

/** What a client gets that asks for metadata alone. */
export function metadataOf({ metadata }: ApiObject, { version }: Pick<TableOptions, 'version'>): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata }
}

function definitionOf({ name, type, format, priority, description }: Column<never>): object {
  return { name, type: type ?? 'string', format: format ?? '', description, priority: priority ?? 0 }
}
