import type { ServicePort } from '#proxy/cluster/service-ports.ts'

// Which service ports an update added, changed and removed: log lines and metrics of Services are made from it.

export interface ServiceChanges {
  readonly added: readonly ServicePort[]
  readonly updated: readonly ServicePort[]
  readonly removed: readonly ServicePort[]
}

export const NO_CHANGES: ServiceChanges = { added: [], updated: [], removed: [] }

/** The changes of several updates as one. */
export function mergedChanges(parts: readonly ServiceChanges[]): ServiceChanges {
  return {
    added: parts.flatMap(({ added }) => added),
    updated: parts.flatMap(({ updated }) => updated),
    removed: parts.flatMap(({ removed }) => removed),
  }
}
