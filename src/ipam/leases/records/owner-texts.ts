import type { Row } from '../database/database.ts'
import type { LeaseOwner } from '../lease-book.ts'

// The columns for what a person would look for → the fields of an owner; a column may be empty.

type OwnerTexts = Partial<Pick<LeaseOwner, 'pod' | 'uid' | 'netns' | 'namespaceId'>>

export function ownerTexts({ pod, uid, netns, namespace_id: namespaceId }: Row): OwnerTexts {
  return {
    ...(typeof pod === 'string' && { pod }),
    ...(typeof uid === 'string' && { uid }),
    ...(typeof netns === 'string' && { netns }),
    ...(typeof namespaceId === 'string' && { namespaceId }),
  }
}

/** In the order of the columns. */
export function ownerColumns({ pod, uid, netns, namespaceId }: OwnerTexts): readonly (string | null)[] {
  return [pod ?? null, uid ?? null, netns ?? null, namespaceId ?? null]
}
