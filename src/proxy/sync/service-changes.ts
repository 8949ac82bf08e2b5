import type { ServicePort } from '#proxy/cluster/service-ports.ts'

// What became of service ports: what the log says of services is made from this.

export interface ServiceChanges {
  readonly added: readonly ServicePort[]
  readonly updated: readonly ServicePort[]
  readonly removed: readonly ServicePort[]
}

export const NO_CHANGES: ServiceChanges = { added: [], updated: [], removed: [] }

/** Several pieces of serviceChanges as one. */
export function mergedChanges(parts: readonly ServiceChanges[]): ServiceChanges {
  return {
    added: parts.flatMap(({ added }) => added),
    updated: parts.flatMap(({ updated }) => updated),
    removed: parts.flatMap(({ removed }) => removed),
  }
}
