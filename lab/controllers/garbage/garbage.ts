import { type ClusterClient, keyIn } from '#lab/client/cluster-client.ts'
import { findKind, KINDS, nameOf } from '#lab/client/kinds.ts'
import type { ApiObject, OwnerReference } from '#lab/client/objects.ts'
import { type Controller, type Look, NOTHING } from '../loop/controller.ts'
import { endingDecision, fullKey, hasWork, type OwnerState, ownedDecision, ownerState, waitsFor } from './dependents.ts'

// All objects, by their ownerReferences → what has lost its owners goes, and what waits for its dependents is freed.

/** Events have no owners and are many. */
const COLLECTED = KINDS.filter(({ kind }) => kind !== 'Event')

export function garbage(client: Pick<ClusterClient, 'get'>): Controller {
  return {
    name: 'garbage-collector',
    follows: COLLECTED.map(nameOf).map(kind => ({
      kind,
      keys: (object: ApiObject, look: Look) => concerned(kind, object, look),
    })),
    decide: async (key, look) => {
      const [kind = '', name = ''] = key.split(' ')
      const object = look.one<ApiObject>(kind, name)
      if (object === undefined) return NOTHING
      const { uid = '' } = object.metadata
      if (waitsFor(object.metadata) !== undefined) return endingDecision(object, [...dependentsOf(uid, look)])
      const owners = object.metadata.ownerReferences ?? []
      const found = await Promise.all(owners.map(owner => stateOf(owner, { object, look, client })))
      return ownedDecision(object, owner => found[owners.indexOf(owner)] ?? 'there')
    },
  }
}

/** The object itself, what it owned if it is gone or ending, and an owner that waits for it. */
function* concerned(kind: string, object: ApiObject, look: Look): Iterable<string> {
  const { uid = '', ownerReferences = [], namespace } = object.metadata
  const name = namespace ? `${namespace}/${object.metadata.name}` : (object.metadata.name ?? '')
  const isGone = look.one(kind, name)?.metadata.uid !== uid
  if (!isGone && hasWork(object)) yield fullKey(kind, object)
  if (isGone) for (const dependent of dependentsOf(uid, look)) yield fullKey(dependent.kind ?? '', dependent)
  for (const reference of ownerReferences) {
    const owner = knownOwner(reference, object, look)
    if (owner !== undefined && waitsFor(owner.metadata) !== undefined) yield fullKey(reference.kind, owner)
  }
}

function* dependentsOf(uid: string, look: Look): Iterable<ApiObject> {
  for (const kind of COLLECTED) {
    for (const object of look.all<ApiObject>(nameOf(kind))) {
      if (object.metadata.ownerReferences?.some(owner => owner.uid === uid)) yield object
    }
  }
}

interface OwnerFacts {
  readonly object: ApiObject
  readonly look: Look
  readonly client: Pick<ClusterClient, 'get'>
}

/**
 * An owner that is not known yet is asked for before its dependents are deleted. One of an unknown kind counts as there, and so
 * does one that stands in a namespace while its dependent stands in none: nothing says in which.
 */
async function stateOf(reference: OwnerReference, { object, look, client }: OwnerFacts): Promise<OwnerState> {
  const kind = findKind(reference)
  if (kind === undefined || (kind.namespaced && !object.metadata.namespace)) return 'there'
  const known = knownOwner(reference, object, look)
  if (known !== undefined) return ownerState(known, reference.uid)
  const owner = await client.get<ApiObject>(nameOf(kind), keyIn(ownerName(reference, object)))
  return ownerState(owner, reference.uid)
}

/** By its uid: another of the same name is another. */
function knownOwner(reference: OwnerReference, object: ApiObject, look: Look): ApiObject | undefined {
  const kind = findKind(reference)
  if (kind === undefined || !COLLECTED.includes(kind)) return undefined
  const owner = look.one<ApiObject>(nameOf(kind), ownerName(reference, object))
  return owner?.metadata.uid === reference.uid ? owner : undefined
}

/** An owner stands in the namespace of what it owns, or in none. */
function ownerName(reference: OwnerReference, { metadata }: ApiObject): string {
  return findKind(reference)?.namespaced ? `${metadata.namespace}/${reference.name}` : reference.name
}
