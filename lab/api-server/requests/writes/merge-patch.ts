import { Refused } from '../answers.ts'

// A patch document and an object → the patched object. Nothing is changed in place.

/** RFC 7386. */
export function mergePatched(target: unknown, patch: unknown): unknown {
  return merged(target, patch, (_key, _before, list) => list)
}

/** As kubectl sends it: lists of objects that have a key are merged by it. Other directives than `delete` mean nothing here. */
export function strategicPatched(target: unknown, patch: unknown): unknown {
  return merged(target, patch, (field, before, list) => {
    const key = Object.hasOwn(MERGE_KEYS, field) ? MERGE_KEYS[field]! : undefined
    if (key === undefined || !Array.isArray(before) || !list.every(isRecord)) return list
    const result: unknown[] = [...before]
    for (const item of list) {
      const at = result.findIndex(it => isRecord(it) && it[key] === item[key])
      const next = strategicPatched(at < 0 ? {} : result[at], item)
      if (item.$patch === 'delete') result.splice(at < 0 ? result.length : at, 1)
      else result.splice(at < 0 ? result.length : at, 1, next)
    }
    return result
  })
}

/** By which field the items of these lists are the same, in the types of the Kubernetes API. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  ports: 'port',
  taints: 'key',
  conditions: 'type',
  ownerReferences: 'uid',
}

type ListRule = (field: string, before: unknown, list: readonly unknown[]) => readonly unknown[]

function merged(target: unknown, patch: unknown, lists: ListRule): unknown {
  if (!isRecord(patch)) return patch
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue // a directive of strategic merge patches
    if (value === null) delete result[key]
    else define(result, key, Array.isArray(value) ? lists(key, result[key], value) : merged(result[key], value, lists))
  }
  return result
}

interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/** RFC 6902. */
export function jsonPatched(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw new Refused(400, 'a JSON patch must be a list of operations')
  const document = { root: structuredClone(target) }
  for (const operation of operations as Operation[]) {
    if (!isRecord(operation) || typeof operation.path !== 'string') {
      throw new Refused(400, `a JSON patch operation needs "op" and "path": ${JSON.stringify(operation)}`)
    }
    apply(document, operation)
  }
  return document.root
}

function apply(document: { root: unknown }, operation: Operation): void {
  const { op, path } = operation
  if (op === 'test') {
    const found = read(document, path)
    if (JSON.stringify(found) !== JSON.stringify(operation.value)) {
      throw new Refused(422, `testing ${path}: value is ${JSON.stringify(found)}`)
    }
  } else if (op === 'add') insert(document, path, operation.value)
  else if (op === 'remove') take(document, path)
  else if (op === 'replace') {
    take(document, path)
    insert(document, path, operation.value)
  } else if (op === 'move') insert(document, path, take(document, operation.from ?? ''))
  else if (op === 'copy') insert(document, path, structuredClone(read(document, operation.from ?? '')))
  else throw new Refused(400, `a JSON patch has no operation ${JSON.stringify(op)}`)
}

function read(document: { root: unknown }, path: string): unknown {
  const { parent, key } = place(document, path)
  return Array.isArray(parent) ? parent[Number(key)] : Object.hasOwn(parent, key) ? parent[key] : undefined
}

function insert(document: { root: unknown }, path: string, value: unknown): void {
  const { parent, key } = place(document, path)
  if (!Array.isArray(parent)) define(parent, key, value)
  else parent.splice(key === '-' ? parent.length : Number(key), 0, value)
}

function take(document: { root: unknown }, path: string): unknown {
  const { parent, key } = place(document, path)
  if (Array.isArray(parent)) {
    if (!(Number(key) < parent.length)) throw missing(path)
    return parent.splice(Number(key), 1)[0]
  }
  if (!Object.hasOwn(parent, key)) throw missing(path)
  const value = parent[key]
  delete parent[key]
  return value
}

/** The container a pointer's last step is in. */
function place(
  document: { root: unknown },
  path: string,
): { parent: Record<string, unknown> | unknown[]; key: string } {
  const steps = `/root${path}`
    .slice(1)
    .split('/')
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const key = steps.pop()!
  let parent: unknown = document
  for (const step of steps) {
    if (Array.isArray(parent)) parent = parent[Number(step)]
    else parent = isRecord(parent) && Object.hasOwn(parent, step) ? parent[step] : undefined
  }
  if (!Array.isArray(parent) && !isRecord(parent)) throw missing(path)
  return { parent, key }
}

function missing(path: string): Refused {
  return new Refused(422, `the patch names ${JSON.stringify(path)}, which is not there`)
}

/** Sets own properties only: a document with a key `__proto__` must not change what every object is. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
