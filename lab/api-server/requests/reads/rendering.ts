import type { ApiObject } from '#lab/api-server/object.ts'
import { objectText } from '#lab/api-server/object-text.ts'
import { metadataOf, type TableOptions, tableOf } from '../../tables/table.ts'
import { Refused } from '../answers.ts'
import type { Form } from '../negotiation.ts'
import type { Resource } from '../resources.ts'
import { listText, type Page } from './list.ts'

// Objects → JSON text in the form a request asked for. One for each request: a watch of Tables names its columns once.

export interface Rendering {
  object(resource: Pick<Resource, 'kind'>, object: ApiObject): string
  list(resource: Resource, page: Page): string
}

export function renderingOf(form: Form, query: URLSearchParams, now: () => number): Rendering {
  if (form.as === 'Table') return tables(form.version, query, now)
  if (form.as === 'objects' || form.as === 'APIGroupDiscoveryList') return OBJECT_TEXTS
  return METADATA
}

const OBJECT_TEXTS: Rendering = {
  object: (_resource, object) => objectText(object),
  list: (resource, { metadata, objects }) => listText(resource, metadata, objects),
}

const METADATA: Rendering = {
  object: (_resource, object) => JSON.stringify(metadataOf(object, { version: 'v1' })),
  list: (_resource, { metadata, objects }) => {
    const items = objects.map(object => metadataOf(object, { version: 'v1' }))
    return JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items })
  },
}

function tables(version: 'v1' | 'v1beta1', query: URLSearchParams, now: () => number): Rendering {
  const include = includedOf(query.get('includeObject') || 'Metadata')
  let columns: 'named' | 'known' = 'named'
  const text = (resource: Pick<Resource, 'kind'>, metadata: object, objects: readonly ApiObject[]) => {
    const table = tableOf(resource, metadata, objects, { version, include, now: now(), columns })
    columns = 'known'
    return JSON.stringify(table)
  }
  return {
    object: (resource, object) => text(resource, { resourceVersion: object.metadata.resourceVersion }, [object]),
    list: (resource, { metadata, objects }) => text(resource, metadata, objects),
  }
}

function includedOf(asked: string): TableOptions['include'] {
  if (asked === 'Object' || asked === 'None' || asked === 'Metadata') return asked
  const why = `includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`
  throw new Refused(400, `Unable to convert to Table as requested: ${why}`)
}
