import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

// A folder with a kustomization → the objects that `kubectl apply -k` would apply: as much of kustomize as our folders use, and an
// error where they use more.

// biome-ignore lint/suspicious/noExplicitAny: API objects of every kind, whose shapes are what is tested
export type AnyObject = any

interface Kustomization {
  readonly apiVersion: string
  readonly kind: string
  readonly resources: readonly string[]
  readonly patches?: readonly { readonly target: Target; readonly patch: string }[]
  readonly images?: readonly { readonly name: string; readonly newName: string; readonly newTag: string }[]
}

interface Target {
  readonly kind: string
  readonly name: string
}

type Operation =
  | { readonly op: 'test' | 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

const KNOWN = ['apiVersion', 'kind', 'resources', 'patches', 'images']

export function kustomized(folder: string): readonly AnyObject[] {
  const own = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as Kustomization
  const unknown = Object.keys(own).filter(key => !KNOWN.includes(key))
  if (unknown.length > 0) throw new Error(`${folder}: ${unknown.join(', ')} is not known to this test`)
  const found = own.resources.flatMap(name => resources(folder, name))
  const patched = (own.patches ?? []).reduce<readonly AnyObject[]>(applied, found)
  for (const image of own.images ?? []) for (const object of patched) renamed(object, image)
  return patched
}

function resources(folder: string, name: string): readonly AnyObject[] {
  const path = join(folder, name)
  if (!statSync(path).isDirectory()) return parseAllDocuments(readFileSync(path, 'utf8')).map(it => it.toJS())
  // kustomize refuses a base that the folder is in.
  if (`${folder}/`.startsWith(`${path}/`)) throw new Error(`${folder}: cycle at ${path}`)
  return kustomized(path)
}

function applied(objects: readonly AnyObject[], { target, patch }: NonNullable<Kustomization['patches']>[number]) {
  const meant = objects.filter(({ kind, metadata }) => kind === target.kind && metadata.name === target.name)
  if (meant.length !== 1) throw new Error(`${target.kind} ${target.name}: ${meant.length} objects to be patched`)
  const read = parse(patch) as readonly Operation[] | { readonly $patch: string }
  if ('$patch' in read && read.$patch === 'delete') return objects.filter(object => object !== meant[0])
  for (const operation of read as readonly Operation[]) carryOut(meant[0], operation)
  return objects
}

function carryOut(object: AnyObject, operation: Operation): void {
  const steps = operation.path.split('/').slice(1)
  const last = steps.pop()!
  const parent = steps.reduce((at, step) => at[step], object)
  const { op } = operation
  if (op === 'remove' && parent[last] === undefined) throw new Error(`remove ${operation.path}: there is nothing`)
  if (op === 'test' && JSON.stringify(parent[last]) !== JSON.stringify(operation.value))
    throw new Error(`test ${operation.path}: it is ${JSON.stringify(parent[last])}`)
  if (op === 'remove' && Array.isArray(parent)) parent.splice(Number(last), 1)
  else if (op === 'remove') delete parent[last]
  else if (op === 'add' && last === '-') parent.push(operation.value)
  else if (op !== 'test') parent[last] = operation.value
}

function renamed(object: AnyObject, image: NonNullable<Kustomization['images']>[number]): void {
  const spec = object.spec?.template?.spec ?? {}
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.image.split(':')[0] === image.name) container.image = `${image.newName}:${image.newTag}`
  }
}
