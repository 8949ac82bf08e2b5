import type { ApiObject, OwnerReference } from '#lab/client/objects.ts'
import type { Write } from '../loop/controller.ts'

// Which objects a controller owns: those it made, those it adopts because its selector takes them, and those it lets go.

export interface Claim<T> {
  readonly owned: readonly T[]
  /** Adoptions and releases. */
  readonly writes: readonly Write[]
}

/** The one owner that makes and ends it. */
export function controllerOf({ metadata }: ApiObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)
}

export function ownerReference({ apiVersion = '', kind = '', metadata }: ApiObject): OwnerReference {
  const { name = '', uid = '' } = metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** An owner that is being deleted adopts nothing. */
export function claimed<T extends ApiObject>(
  owner: ApiObject,
  objects: Iterable<T>,
  isSelected: (object: T) => boolean,
): Claim<T> {
  const owned: T[] = []
  const writes: Write[] = []
  const isEnding = owner.metadata.deletionTimestamp !== undefined
  for (const object of objects) {
    if (object.metadata.namespace !== owner.metadata.namespace) continue
    const controller = controllerOf(object)
    const isMine = controller?.uid === owner.metadata.uid
    if (isMine && isSelected(object)) owned.push(object)
    else if (isMine) writes.push(released(object, owner))
    else if (controller === undefined && !isEnding && isSelected(object) && isFree(object)) {
      writes.push(adopted(object, owner))
    }
  }
  return { owned, writes }
}

function isFree({ metadata }: ApiObject): boolean {
  return metadata.deletionTimestamp === undefined
}

function adopted(object: ApiObject, owner: ApiObject): Write {
  return ownersPatch(object, [...(object.metadata.ownerReferences ?? []), ownerReference(owner)])
}

function released(object: ApiObject, owner: ApiObject): Write {
  const rest = (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid)
  return ownersPatch(object, rest.length > 0 ? rest : null)
}

/** For this version of the object alone: another controller may want it, too. */
export function ownersPatch(object: ApiObject, ownerReferences: readonly OwnerReference[] | null): Write {
  const { uid, resourceVersion, namespace, name = '' } = object.metadata
  const key = { name, ...(namespace !== undefined && { namespace }) }
  return { do: 'patch', kind: object.kind ?? '', key, patch: { metadata: { uid, resourceVersion, ownerReferences } } }
}
