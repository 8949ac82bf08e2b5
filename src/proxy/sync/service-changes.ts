import type { ServicePort } from '#proxy/cluster/service-ports.ts'

// What became of service ports: what the log says of services is made from this.

export interface News {
  readonly added: readonly ServicePort[]
  readonly updated: readonly ServicePort[]
  readonly removed: readonly ServicePort[]
}

export const NO_NEWS: News = { added: [], updated: [], removed: [] }

/** Several pieces of news as one. */
export function newsOf(parts: readonly News[]): News {
  return {
    added: parts.flatMap(({ added }) => added),
    updated: parts.flatMap(({ updated }) => updated),
    removed: parts.flatMap(({ removed }) => removed),
  }
}
