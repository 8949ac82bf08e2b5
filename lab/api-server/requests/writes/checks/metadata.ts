import type { ApiObject } from '#lab/api-server/object.ts'
import type { FieldProblem } from '../../refusals.ts'
import { fieldsOf, listOf } from '../defaults/values.ts'
import { barred, wrong } from './problems.ts'

// Labels, annotations and owners of an object of any kind → what kube-apiserver does not take of them.

const NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const ENDS = 'must start and end with an alphanumeric character'
const NAME_SENTENCE = `name part must consist of alphanumeric characters, '-', '_' or '.', and ${ENDS} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${NAME}')`
const VALUE_SENTENCE = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and ${ENDS} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${NAME})?')`
const LONGEST = 63

export function metadataProblems({ metadata }: ApiObject, before: ApiObject | undefined): readonly FieldProblem[] {
  const { labels, annotations, ownerReferences } = metadata
  return [
    ...Object.entries(fieldsOf(labels)).flatMap(([key, value]) => [
      ...keyProblems(key, 'metadata.labels'),
      ...valueProblems(String(value), 'metadata.labels'),
    ]),
    ...Object.keys(fieldsOf(annotations)).flatMap(key => keyProblems(key, 'metadata.annotations')),
    ...listOf(ownerReferences).flatMap(it => ownerProblems(fieldsOf(it))),
    ...finalizerProblems(metadata, before?.metadata),
  ]
}

type Metadata = ApiObject['metadata']

/** What is on its way out may lose finalizers, and get no new ones. */
function finalizerProblems({ finalizers }: Metadata, before: Metadata | undefined): readonly FieldProblem[] {
  if (before?.deletionTimestamp === undefined) return []
  const known = listOf(before.finalizers)
  const added = listOf(finalizers).filter(it => !known.includes(it))
  if (added.length === 0) return []
  const shown = `[]string{${added.map(it => JSON.stringify(it)).join(', ')}}`
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`
  return [barred('metadata.finalizers', why)]
}

/** `example.com/name`: the part after the domain. */
function keyProblems(key: string, field: string): readonly FieldProblem[] {
  const name = key.slice(key.indexOf('/') + 1)
  if (name.length > LONGEST) return [wrong(field, key, `name part must be no more than ${LONGEST} bytes`)]
  return new RegExp(`^${NAME}$`).test(name) ? [] : [wrong(field, key, NAME_SENTENCE)]
}

function valueProblems(value: string, field: string): readonly FieldProblem[] {
  if (value.length > LONGEST) return [wrong(field, value, `must be no more than ${LONGEST} bytes`)]
  return new RegExp(`^(${NAME})?$`).test(value) ? [] : [wrong(field, value, VALUE_SENTENCE)]
}

function ownerProblems(owner: Readonly<Record<string, unknown>>): readonly FieldProblem[] {
  return (['apiVersion', 'kind', 'name', 'uid'] as const).flatMap(part => {
    if (owner[part]) return []
    const name = part === 'apiVersion' ? 'version' : part
    return [wrong(`metadata.ownerReferences.${part}`, owner[part] ?? '', `${name} must not be empty`)]
  })
}
